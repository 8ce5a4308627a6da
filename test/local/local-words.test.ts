import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { failureCodes, failures, formatFailure } from '../../functions/domain/failures.ts'
import { localWords, wordsOnAws } from '../../local/local-words.ts'
import { readLogLine } from '../../local/screen/log-line.ts'

const ofAws = /\b(AWS|Firehose|Secrets Manager|secretsmanager|DynamoDB|kms|Lambda|function|deploy\w*|operator|delivery stream|setting)\b/i

test.each(failureCodes)('the advice for %s names things of this machine, and ends with a step', (code) => {
  const said = localWords(formatFailure({ code, detail: 'It failed' }))
  expect(said).not.toMatch(ofAws)
  expect(said.endsWith('.')).toBe(true)
})

test('the advice of a log line names things of this machine', () => {
  const message = formatFailure({ code: 'secret-missing', detail: 'tributary/acme/key' })
  const line = JSON.stringify({
    time: '2026-11-24T12:00:00.000Z',
    level: 'error',
    event: 'connector-failing',
    message,
    connectorId: 'acme.cas',
  })
  expect(readLogLine(line)?.text).toBe(
    '12:00:00 ERROR acme.cas connector-failing: tributary/acme/key. The secret does not exist. Give it under exactly this name. Store it on the page, or with "npx --no tributary key set NAME" and the --data of this start: it is used at once. A secret of the file of --secrets is changed there, and needs a new start.',
  )
})

test('every text that is replaced is one that the functions say', () => {
  const code = globSync('functions/**/*.ts').map((path) => readFileSync(path, 'utf8'))
  const remedies = Object.values(failures).map(({ remedy }) => remedy)
  expect(wordsOnAws.filter((words) => !remedies.includes(words) && !code.some((text) => text.includes(words)))).toEqual([])
})
