// A source for faros-airbyte-cdk: one stream class. `node connector.cjs FOLDER` with FOLDER/config.json; messages go to stdout.
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const { join, resolve } = require('node:path')
const { setTimeout: wait } = require('node:timers/promises')
const { AirbyteSourceLogger, AirbyteSourceBase, AirbyteSourceRunner, AirbyteSpec, AirbyteStreamBase } = require('faros-airbyte-cdk')

const triesMax = 10

/** The framework has no HTTP client. */
async function readPage(url, key) {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
    if (response.ok) return response.json()
    await response.arrayBuffer()
    const mayPass = response.status === 429 || response.status >= 500
    if (!mayPass || tries === triesMax) throw new Error(`The vendor responded with status ${response.status}.`)
    // Once the limit is reached, the vendor accepts nothing until the minute is over.
    await wait(60_000)
  }
}

class Events extends AirbyteStreamBase {
  constructor(config, stream, logger) {
    super(logger)
    this.config = config
    this.stream = stream
  }

  get name() {
    return this.stream.replace('/', '_')
  }

  get primaryKey() {
    return 'log_item_id'
  }

  get cursorField() {
    return 'generation_time'
  }

  /** The items of a page. */
  get stateCheckpointInterval() {
    return 500
  }

  getJsonSchema() {
    return { type: 'object', additionalProperties: true }
  }

  async *readRecords(_syncMode, _cursorField, _slice, state) {
    const { url, key, since } = this.config
    const [service, event] = this.stream.split('/')
    const range = { start: state?.generation_time ?? since, end: new Date().toISOString() }
    let link = `${url}/v1/siem/security_events?${new URLSearchParams({ service, event, ...range })}`
    while (link) {
      const page = await readPage(link, key)
      for (const item of page.security_events) yield { ...item, generation_time: page.last_log_item_generation_time }
      link = page.next_link
    }
  }

  getUpdatedState(_state, { generation_time }) {
    return { generation_time }
  }
}

class CloudAppSecurity extends AirbyteSourceBase {
  get type() {
    return 'cloud-app-security'
  }

  async spec() {
    return new AirbyteSpec({ connectionSpecification: { type: 'object', properties: {} } })
  }

  async checkConnection() {
    return [true, undefined]
  }

  streams(config) {
    return config.streams.map((stream) => new Events(config, stream, this.logger))
  }
}

async function main(folder) {
  const [config, catalog, state] = ['config.json', 'catalog.json', 'state.json'].map((file) => join(folder, file))
  const logger = new AirbyteSourceLogger()
  const source = new CloudAppSecurity(logger)
  const streams = source.streams(JSON.parse(readFileSync(config, 'utf8'))).map((stream) => ({
    stream: stream.asAirbyteStream(),
    sync_mode: 'incremental',
    destination_sync_mode: 'append',
  }))
  writeFileSync(catalog, JSON.stringify({ streams }))
  const stored = existsSync(state) ? ['--state', state] : []
  const args = ['node', 'main', 'read', '--config', config, '--catalog', catalog, ...stored]
  await new AirbyteSourceRunner(logger, source).mainCommand().parseAsync(args)
}

void main(resolve(process.argv[2]))
