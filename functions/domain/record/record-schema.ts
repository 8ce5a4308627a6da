import * as z from 'zod/mini'
import type { Field, FieldTable } from './fields.ts'

/** Makes the validator of records that have the fields of a table and no others. */
export function recordSchema(table: FieldTable): z.ZodMiniType {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(table).map(([name, field]) => {
        const schema = fieldSchema(field)
        return [name, field.required === true ? schema : z.optional(schema)]
      }),
    ),
  )
}

function fieldSchema(field: Field): z.ZodMiniType {
  switch (field.type) {
    case 'struct':
      return recordSchema(field.fields)
    case 'string':
      return field.values === undefined ? z.string().check(z.minLength(1)) : z.enum(field.values)
    case 'array<string>':
      return z.array(z.string().check(z.minLength(1))).check(z.minLength(1))
    case 'bigint':
      return z.int()
    case 'int':
      return z.int32()
    case 'boolean':
      return z.boolean()
  }
}
