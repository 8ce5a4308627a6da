import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { contract, everyMember, failureMembers } from '../cli/contract.ts'
import { exitCodes } from '../cli/outcome.ts'
import { nodeTerminal } from '../cli/places/node-terminal.ts'
import { buildProgram } from '../cli/program.ts'
import { connectorAttributes } from '../functions/domain/connector/connector-schema.ts'
import { filterOperators } from '../functions/domain/connector/filter-operators.ts'
import { failure, failureCodes, failures, formatFailure } from '../functions/domain/failures.ts'
import { cardOf } from '../functions/domain/operate/vendor-card.ts'
import { type FieldTable, recordFields } from '../functions/domain/record/fields.ts'
import { glueType } from '../functions/domain/record/glue.ts'
import { toRecord } from '../functions/domain/record/record.ts'
import { identityOf, recordId } from '../functions/domain/record/record-id.ts'
import { rfc5424 } from '../functions/domain/record/syslog.ts'
import { shownStates, traitsOfShown } from '../functions/domain/status/shown-state.ts'
import { statusColumns } from '../functions/domain/status/status-row.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import { lakeFields, vendorOf } from '../functions/vendors/index.ts'
import { localWords } from '../local/local-words.ts'
import { frameLines, localColumns } from '../local/screen/frame.ts'
import { now, viewOf } from '../test/local/terminal.ts'

/**
 * Writes the pages and parts of pages that are generated from code: `npm run docs`. With `--check` it writes nothing, and exits with 1
 * when a page differs from the code.
 */

const pages: Readonly<Record<string, (committed: string) => string>> = {
  'docs/record.md': recordPage,
  'docs/connectors.md': connectorsPage,
  'docs/connectors/trendmicro-cas.md': vendorPage,
  'docs/command.md': commandPage,
  'docs/connectors/fifty-tenants.md': fileOfConnectorsPage,
  'docs/one-machine.md': oneMachinePage,
  'README.md': readme,
}

function readme(committed: string): string {
  const { event, record } = example()
  const { raw: _raw, trendmicro: _fields, syslog, ...short } = record
  const message = `${syslog?.message?.slice(0, 120)} …`
  return withParts('README.md', committed, {
    event: json(event),
    record: json({ ...short, syslog: { ...syslog, message } }),
    attributes: attributeRows(),
  })
}

function oneMachinePage(committed: string): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const columns = Object.values({ ...statusColumns, ...localColumns }).map(({ title, doc }) => row([`*${title}*`, doc]))
  const states = shownStates.map((state) => {
    const { title, doc, isProblem, remedy } = traitsOfShown(state)
    return row([title === state ? `\`${state}\`` : `\`${state}\` (${title})`, doc, isProblem ? 'yes' : '', remedy])
  })
  const failureRows = failureCodes.map((code) => {
    const { triesMax } = failures[code]
    return row([
      `\`${code}\``,
      triesMax === 1 ? 'ends' : triesMax === Number.POSITIVE_INFINITY ? '`--patience`' : `${triesMax} failures in a row`,
    ])
  })
  const rows = [
    { connectorId: 'acme.sharepoint', nextRun: now + 96_000, thisStart: 239, allTime: 10_412 },
    {
      connectorId: 'globex.onedrive',
      tenantName: 'Globex',
      state: 'failing',
      reason: localWords(formatFailure(failure('unauthorized', 'The vendor responded with status 401'))),
      thisStart: 0,
      allTime: 5_120,
    },
    { connectorId: 'acme.exchange', nextRun: 'running', thisStart: 153, allTime: 8_930 },
  ] as const
  const frame = frameLines(viewOf(rows), [], { columns: 100, rows: 24 })
  return withParts('docs/one-machine.md', committed, {
    table: `\`\`\`text\n${frame.join('\n')}\n\`\`\``,
    columns: [row(['column', '']), row(['---', '---']), ...columns].join('\n'),
    states: [row(['state', 'means', 'problem', 'do']), row(['---', '---', '---', '---']), ...states].join('\n'),
    failures: [row(['failure', '`--once` waits']), row(['---', '---']), ...failureRows].join('\n'),
  })
}

function commandPage(): string {
  const unused = () => Promise.reject(new Error('the help runs no command'))
  const program = buildProgram({ terminal: nodeTerminal(), withSession: unused, alone: unused })
  const helps = [program, ...program.commands.flatMap((command) => [command, ...command.commands])].map((command) => {
    const parent = command.parent === null || command.parent === program ? '' : `${command.parent.name()} `
    const title = command === program ? 'All commands' : `${parent}${command.name()}`
    return `## ${title}\n\n\`\`\`text\n${command.helpInformation().trimEnd()}\n\`\`\``
  })
  const members = (shape: Readonly<Record<string, z.ZodType>>) =>
    Object.entries(shape)
      .map(([name, { description = '' }]) => `\`${name}\`${description === '' ? '' : `: ${description}`}`)
      .join('. ')
  const alike = Map.groupBy(Object.entries(contract), ([, shape]) => members(shape))
  const contracts = [...alike].map(([text, same]) => `| ${same.map(([name]) => `\`${name}\``).join(', ')} | ${text}. |`)
  const codes = Object.values(exitCodes).map(({ code, doc }) => `| ${code} | ${doc} |`)
  return `# The command

This page is generated from the help. In this folder run \`npx --no tributary COMMAND\`, and in services \`node tributary.js COMMAND\`. Where
you type or send a key, use \`npx --no\`: without \`--no\`, npx would fetch another package of this name if the folder were the wrong one.

| exit code | |
| --- | --- |
${codes.join('\n')}

## A file of connectors

YAML or JSON. Each connector has the attributes of \`defaults\` and its own; \`{tenant}\` in a default is the tenant of its id.
[Fifty tenants in a file](connectors/fifty-tenants.md) shows one whole, with the pipeline that applies it.

## JSON

With \`--json\` stdout has one object, and everything else is on stderr. Programs may rely on it: a member may be added, and a change of
another kind makes a new \`version\`. \`asOf\`, \`at\` and other instants are in ms since 1970 unless the table says otherwise.

Every object has ${members(everyMember)}. After a failure it has ${members(failureMembers)}.

| command | members |
| --- | --- |
${contracts.join('\n')}

${helps.join('\n\n')}
`
}

function fileOfConnectorsPage(committed: string): string {
  const file = readFileSync(new URL('../examples/connectors.yaml', import.meta.url), 'utf8')
  return withParts('docs/connectors/fifty-tenants.md', committed, { file: `\`\`\`yaml\n${file}\`\`\`` })
}

/** Replaces the generated parts of a page, each between `<!-- name -->` and `<!-- /name -->`. */
function withParts(page: string, committed: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [before, tail] = text.split(`<!-- ${name} -->`)
    const after = tail?.split(`<!-- /${name} -->`)[1]
    if (before === undefined || after === undefined) throw new Error(`${page} has no part <!-- ${name} --> … <!-- /${name} -->`)
    return `${before}<!-- ${name} -->\n${part}\n<!-- /${name} -->${after}`
  }, committed)
}

/** The card of a vendor, as the page shows it. */
function vendorPage(): string {
  const vendor = exampleVendor()
  const { title, capabilities, collected, eventTypes } = cardOf(vendor, 'AWS Lambda, or one machine')
  const { regions, baseUrlSteps, apiKeySteps, links } = vendor.card
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const numbered = (steps: readonly string[]) => steps.map((step, i) => `${i + 1}. ${step}`).join('\n')
  return `# ${title}

This page is generated from the code of the vendor. [A connector](../connectors.md) has the attributes of an item.

${[row(['', '']), row(['---', '---']), ...capabilities.map(row)].join('\n')}

## Collected data

${[
  row(['content type', 'in an item', 'locating records']),
  row(['---', '---', '---']),
  ...collected.map(({ label, contentType, locating }) =>
    row([
      label,
      `\`${contentType}\``,
      Object.entries(locating)
        .map(([column, value]) => `\`${column}\`: \`${value}\``)
        .join(', '),
    ]),
  ),
].join('\n')}

Event types: ${eventTypes.map(({ name, label }) => `${label} (\`${name}\`)`).join(', ')}.

## Base URL

${numbered(baseUrlSteps)}

${[row(['region', 'base URL']), row(['---', '---']), ...regions.map(({ title: region, host }) => row([region, `\`https://${host}\``]))].join('\n')}

## API key

${numbered(apiKeySteps)}

The vendor's own pages: ${links.map(({ title: page, url }) => `[${page}](${url})`).join(', ')}.
`
}

function connectorsPage(): string {
  const { hosts, title } = exampleVendor()
  const operators = filterOperators().map(
    ({ name, negation, doc }) => `| \`${name}\` | ${negation === undefined ? '' : `\`${negation}\``} | ${doc} |`,
  )
  return `# A connector

A connector is one item of the connectors table, or of the file given with \`--connectors\`. This page is generated from the schema that
checks the item. An item is accepted as a whole or refused. When it is refused, the connector's status names the mistake in each
attribute, and the last accepted version continues. Attributes in bold are required.

${attributeRows()}

${selections()}

The base URLs of ${title}: ${hosts.map((host) => `\`https://${host}\``).join(', ')}.

## Log filters

\`logFilters\` is a list. Each filter has a \`name\`, \`conditions\` and an \`action\`: \`exclude\`, which is the default, or \`include\`. A filter
matches an event when all its conditions hold. An event is kept when no exclude filter matches it and, if there are include filters, at
least one include filter matches it. With \`shadow: true\` a filter drops nothing. Each filter counts the events that it dropped or, in
shadow, would have dropped, each event once. All filters of a connector together have at most 50 regular expressions of 10,000 instructions (repetitions written
out) and 100,000 characters of values. Their work on one page is counted in steps: looking at a value, and at each of its characters, for each value
or instruction that it is compared with. When the filters have taken 200 million steps, the one that took the most drops nothing on the rest of
the page, and the status names it; an include filter then keeps all. At 400 million all of them do. Twenty usual filters take 8 million steps for
5,000 events.

A condition has a \`field\` of the [record](record.md), such as \`severity\` or \`trendmicro.scan_type\`, an \`operator\` and \`values\`. It holds when
the field matches at least one of the values; a field that is a list matches when one of its elements does. A field that is absent fails
every operator and satisfies every negation.

| operator | negation | |
| --- | --- | --- |
${operators.join('\n')}
`
}

/** Lists the values of the vendor's own attributes. */
function selections(): string {
  const { properties } = z
    .object({ properties: z.record(z.string(), z.object({ items: z.object({ enum: z.array(z.string()) }) })) })
    .parse(z.toJSONSchema(exampleVendor().attributes, { io: 'input' }))
  const lines = Object.entries(properties).map(
    ([name, { items }]) => `\`${name}\`: ${items.enum.map((value) => `\`${value}\``).join(', ')}.`,
  )
  return lines.join('\n\n')
}

function attributeRows(): string {
  const rows = connectorAttributes(exampleVendor()).map(({ name, type, default: byDefault, required, doc }) => {
    const title = required ? `**\`${name}\`**` : `\`${name}\``
    return `| ${title} | ${type} | ${byDefault ?? ''} | ${doc} |`
  })
  return ['| attribute | type | default | |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function recordPage(): string {
  const common = Object.fromEntries(Object.entries(lakeFields).filter(([name]) => name in recordFields))
  const vendors = Object.fromEntries(Object.entries(lakeFields).filter(([name]) => !(name in recordFields)))
  const { event, record } = example()
  return `# The record

One event of a vendor is one line of JSON in the lake. Times are epoch milliseconds in UTC. A field without a value is left out. A value
that does not fit the type of its field is only in \`raw\`. Fields in bold are in every record.

${fieldRows(common)}

## Fields of each vendor

${fieldRows(vendors)}

## An event and its record

The vendor sends:

${json(event)}

The lake has:

${json(record)}

The same record is this syslog line (RFC 5424):

\`\`\`text
${rfc5424(record)}
\`\`\`
`
}

function fieldRows(table: FieldTable): string {
  return ['| field | type | |', '| --- | --- | --- |', ...rows(table, '', true)].join('\n')
}

/** A field in a struct is in every record only if each struct around it is too. */
function rows(table: FieldTable, prefix: string, always: boolean): string[] {
  return Object.entries(table).flatMap(([name, field]) => {
    const required = always && field.required === true
    const title = `\`${prefix}${name}\``
    const type = field.type === 'struct' ? 'struct' : `\`${glueType(field)}\``
    const allowed =
      field.type === 'struct' || field.values === undefined ? '' : ` One of ${field.values.map((value) => `\`${value}\``).join(', ')}.`
    const row = `| ${required ? `**${title}**` : title} | ${type} | ${field.doc}${allowed} |`
    return field.type === 'struct' ? [row, ...rows(field.fields, `${prefix}${name}.`, required)] : [row]
  })
}

function example() {
  const event = {
    event: 'security_risk_scan',
    log_item_id: 'a9e2c1f0-5f0e-4f0a-9d53-0b7e8a1c2d3e',
    service: 'SharePoint',
    message: {
      scan_type: 'Real-time scan',
      affected_user: 'ann@example.com',
      location: 'https://example.sharepoint.com/sites/finance/Shared Documents',
      detection_time: '2026-11-24T20:35:26.120Z',
      triggered_policy_name: 'Default SharePoint Policy',
      triggered_security_filter: 'Malware Scanning',
      action: 'Quarantine',
      action_result: 'success',
      file_name: 'invoice.exe',
      file_upload_time: '2026-11-24T20:35:20.000Z',
      security_risk_name: 'Eicar_test_file',
      detected_by: 'Pattern-based scanning',
      risk_level: 'High',
      log_item_id: 'a9e2c1f0-5f0e-4f0a-9d53-0b7e8a1c2d3e',
    },
  }
  const vendor = exampleVendor()
  const connector = {
    connectorId: 'contoso.cas',
    name: 'contoso-trendmicro',
    tenantName: 'contoso',
    baseUrl: 'https://api.tmcas.trendmicro.com',
  }
  const stream = 'sharepoint/securityrisk'
  const receivedAt = Date.UTC(2026, 10, 24, 20, 40)
  const item = { id: event.log_item_id, raw: JSON.stringify(event), value: event }
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  const identity = identityOf(item, digest, new Set())
  const id = recordId(digest, connector.connectorId, stream, identity)
  return {
    event,
    record: toRecord(vendor.normalise(item, { stream, receivedAt }), {
      id,
      eventId: identity.vendorId,
      ingestedAt: receivedAt,
      ingestMode: 'live',
      connector,
    }),
  }
}

function exampleVendor(): Vendor {
  const vendor = vendorOf('trendmicro-cas')
  if (vendor === undefined) throw new Error('The examples use the vendor trendmicro-cas, which no longer exists. Give them another vendor.')
  return vendor
}

function json(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``
}

function committed(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const check = process.argv.includes('--check')
for (const [name, page] of Object.entries(pages)) {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url))
  const before = committed(path) ?? ''
  const text = page(before)
  if (before === text) continue
  if (check) {
    console.error(`${name} differs from the code. Run: npm run docs`)
    process.exitCode = 1
  } else {
    writeFileSync(path, text)
    console.error(`wrote ${name}`)
  }
}
