import type { Field, FieldTable } from './fields.ts'

export interface GlueColumn {
  readonly name: string
  readonly type: string
  readonly comment: string
}

/** The columns of a Glue table for the fields of a record. */
export function glueColumns(table: FieldTable): GlueColumn[] {
  return Object.entries(table).map(([name, field]) => ({ name, type: glueType(field), comment: field.doc }))
}

/** `string`, `struct<name:string,type:string>`. */
export function glueType(field: Field): string {
  if (field.type !== 'struct') return field.type
  const members = Object.entries(field.fields).map(([name, inner]) => `${name}:${glueType(inner)}`)
  return `struct<${members.join(',')}>`
}
