import * as z from 'zod'
import type { Field, FieldTable } from './fields.ts'

/** Makes the validator of records that have the fields of a table and no others. */
export function recordSchema(table: FieldTable): z.ZodType {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(table).map(([name, field]) => {
        const schema = fieldSchema(field)
        return [name, field.required === true ? schema : schema.optional()]
      }),
    ),
  )
}

function fieldSchema(field: Field): z.ZodType {
  switch (field.type) {
    case 'struct':
      return recordSchema(field.fields)
    case 'string':
      return field.values === undefined ? z.string().min(1) : z.enum(field.values)
    case 'array<string>':
      return z.array(z.string().min(1)).min(1)
    case 'bigint':
      return z.int()
    case 'int':
      return z.int32()
    case 'boolean':
      return z.boolean()
  }
}
