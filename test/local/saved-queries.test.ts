import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { savedQueries } from '../../lib/lake/lake-queries.ts'
import { type Lake, openLake } from '../../local/lake.ts'
import { temporaryFolder } from '../local-services.ts'

/** Athena's functions that have another name in DuckDB. */
const asInAthena = [
  'date_format(day, format) AS CAST(day AS DATE)',
  'from_unixtime(seconds) AS to_timestamp(seconds)',
  'to_unixtime(instant) AS epoch(instant)',
  'approx_percentile(number, share) AS approx_quantile(number, share)',
]

async function emptyLake(): Promise<Lake> {
  const dataDir = temporaryFolder()
  mkdirSync(join(dataDir, 'lake'))
  const lake = await openLake(dataDir)
  onTestFinished(() => lake.close())
  for (const macro of asInAthena) await lake.query(`CREATE MACRO ${macro}`)
  return lake
}

describe('the saved queries of the stack', () => {
  it.each(savedQueries)('contain $name, which names only existing views and columns', async ({ sql }) => {
    const lake = await emptyLake()
    await expect(lake.query(sql.replace('?', "'ann'"))).resolves.toEqual([])
  })
})
