import { expect, it } from 'vitest'
import { severities } from '../../functions/domain/record/fields.ts'
import { ocsfIds } from '../../functions/domain/record/ocsf.ts'

it('a data loss is a Data Security Finding of OCSF', () => {
  expect(ocsfIds('data-security', 'medium')).toEqual({ class_uid: 2006, type_uid: 200_601, severity_id: 3 })
})

it('any other event is a Detection Finding of OCSF', () => {
  expect(ocsfIds('detection', 'critical')).toEqual({ class_uid: 2004, type_uid: 200_401, severity_id: 5 })
})

it('the severities have the numbers of OCSF', () => {
  expect([undefined, ...severities].map((severity) => ocsfIds('detection', severity).severity_id)).toEqual([0, 1, 2, 3, 4, 5])
})
