import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { visible, visibleJson, visibleLines } from '../functions/domain/text.ts'
import { refuseSwallowedOptions } from '../local/npm-options.ts'
import { endWithOutput } from '../local/output.ts'
import { StartupError } from '../local/services/startup-error.ts'
import { countText, type Deleted, deleteTenant } from './delete-tenant.ts'
import { ofFolder, ofStack } from './deployments.ts'

const usage = `Usage: npm run delete-tenant -- TENANT (--stack NAME | --data DIR) [options]

Deletes everything of a tenant: its connectors, its records in the lake with their former versions, and its state. It
shows what there is and asks first. Nothing brings any of it back.

  TENANT        the part of the connectors' ids before the first dot; ~NAME for connectors whose ids name no tenant
  --stack NAME  the stack, with the credentials and the region of the AWS CLI
  --data DIR    a data folder of this machine; no program may use it
  --yes         do not ask
  --json        print the result as one JSON object on stdout, and everything else on stderr
  --help        print this text
`

/** Copies that this program cannot reach. `docs/operations.md` says more about each. */
const left = {
  stack: [
    'the secrets themselves: delete each with "aws secretsmanager delete-secret --secret-id NAME"',
    'former states of the two tables, which point-in-time recovery keeps for 35 days, and your own backups',
    'results of Athena queries, which the bucket keeps for 7 days, and records that Firehose could not process, under errors/',
    'lines of logs, metrics and notifications that name a connector, and messages of the dead-letter queues',
    'every copy that you have made of the lake: replicas, other systems',
  ],
  folder: [
    'the entries in your own files of connectors and secrets: with them the next start would make the connectors again',
    'deleted items in the files of the state, until the database rewrites them, and the notifications in the folder',
    'your own backups',
  ],
} as const

interface Options {
  readonly tenant: string
  readonly place: { readonly kind: 'stack' | 'folder'; readonly name: string }
  readonly yes: boolean
  readonly json: boolean
}

/** Throws `StartupError` for a mistake. Returns nothing if only the usage is asked for. */
function parseOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parse(args)
  if (values.help === true) return undefined
  const [tenant = '', ...others] = positionals
  if (!/^([a-z0-9-]{1,40}|~.{1,128})$/u.test(tenant) || others.length > 0) {
    throw new StartupError('Give one tenant: lower-case letters, digits and hyphens, such as acme, or ~NAME. See --help.')
  }
  const { stack, data, yes = false, json = false } = values
  if ((stack === undefined) === (data === undefined)) throw new StartupError('Give either --stack NAME or --data DIR. See --help.')
  return { tenant, place: stack === undefined ? { kind: 'folder', name: data ?? '' } : { kind: 'stack', name: stack }, yes, json }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        stack: { type: 'string' },
        data: { type: 'string' },
        yes: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new StartupError(`${error instanceof Error ? error.message : String(error)} See --help.`)
  }
}

/** Returns the exit code: 0 if nothing of the tenant is left that this program can reach. */
async function main(options: Options): Promise<number> {
  const { tenant, place, json } = options
  const out = json ? process.stderr : process.stdout
  const say = (text: string) => void out.write(`${visibleLines(text)}\n`)
  const deployment = await (place.kind === 'stack' ? ofStack(place.name) : ofFolder(place.name))
  try {
    const found = await deployment.tables.find(tenant)
    const { connectorIds, keys, secretNames } = found
    say(`Tenant ${tenant} in ${deployment.title}:`)
    say(`  connectors      ${listed(connectorIds)}`)
    say(`  state           ${countText(keys.length, 'item')}`)
    say(`  secret names    ${listed(secretNames)}`)
    say('  lake            every object is looked through')
    if (!options.yes && !(await isConfirmed(tenant))) {
      say('Nothing was deleted.')
      return 1
    }
    const deleted = await deleteTenant({ ...deployment, say }, tenant, found)
    report(deleted, options, say)
    if (json) process.stdout.write(`${visibleJson({ tenant, ...deleted, left: left[place.kind] })}\n`)
    return deleted.failed.length > 0 || deleted.cameBack.length > 0 ? 1 : 0
  } finally {
    await deployment.close()
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  if (names.length === 0) return 'none'
  return names.length > 5 ? `${names.length}: ${shown}, …` : `${names.length}: ${shown}`
}

async function isConfirmed(tenant: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new StartupError('Nothing was deleted. Without a terminal, add --yes.')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await terminal.question(`Type ${visible(tenant)} to delete all of it: `)).trim() === tenant
  } finally {
    terminal.close()
  }
}

function report({ secretNames, failed, cameBack }: Deleted, { tenant, place }: Options, say: (text: string) => void): void {
  for (const { object, reason } of failed) say(`Failed: ${object}: ${reason}`)
  if (failed.length > 0) say('These objects may still hold records of the tenant. Mend the cause, then start this command again.')
  if (cameBack.length > 0) say(`Failed: somebody has made these connectors again: ${cameBack.join(', ')}. Start this command again.`)
  if (failed.length + cameBack.length === 0) say(`Tenant ${tenant} is deleted.`)
  if (place.kind === 'stack' && secretNames.length > 0) say(`Its secrets: ${secretNames.join(', ')}`)
  say(`This program cannot delete:\n${left[place.kind].map((copy) => `  - ${copy}`).join('\n')}`)
}

endWithOutput(() => process.exit(0))
try {
  refuseSwallowedOptions('npm run delete-tenant', usage)
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(usage)
  else process.exitCode = await main(options)
} catch (error) {
  process.stderr.write(`${visibleLines(error instanceof Error ? error.message : String(error))}\n`)
  process.exitCode = 1
}
