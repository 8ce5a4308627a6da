import { visibleLines } from '../../functions/domain/text.ts'
import { refuseSwallowedOptions } from '../npm-options.ts'
import { endWithOutput } from '../output.ts'
import { helpPage, readCommandLine } from './flags.ts'
import { parseOptions } from './options.ts'
import { startSimulator } from './server.ts'

endWithOutput(() => process.exit(0))
try {
  const usage = helpPage(parseOptions({}))
  refuseSwallowedOptions('npm run simulator', usage)
  const { options, port, host, isHelp } = readCommandLine(process.argv.slice(2), Date.now())
  if (isHelp) process.stdout.write(usage)
  else await run(options, port, host)
} catch (error) {
  process.stderr.write(
    `${visibleLines(error instanceof Error ? error.message : String(error))}\n"npm run simulator -- --help" lists the options.\n`,
  )
  process.exitCode = 1
}

async function run(options: Parameters<typeof startSimulator>[0], port: number, host: string): Promise<void> {
  const { url, model, close } = await startSimulator(options, { port, host })
  const end = () => {
    process.stdout.write(`\n${JSON.stringify(model.account.totals(), undefined, 2)}\n`)
    void close()
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const keys = model.settings.keys.length
  process.stdout.write(`The simulator of the vendor runs at ${url}; ${keys === 0 ? 'every API key is accepted' : keys === 1 ? 'one API key is accepted' : `${keys} API keys are accepted`}.

Collect from it with these files and commands:
  connectors.json   [{"connectorId": "acme.simulated", "type": "trendmicro-cas", "name": "acme-simulated", "tenantName": "Acme",
                      "baseUrl": "${url}", "apiKeySecrets": ["tributary/acme/simulated"]}]
  secrets.json      {"tributary/acme/simulated": "${keys === 0 ? 'any-key' : 'the key given with --key'}"}
  chmod 600 secrets.json
  npm start -- --connectors connectors.json --secrets secrets.json --allow-host ${new URL(url).host} --data .tributary-simulated
  npm run lake -- --data .tributary-simulated

See which requests it got and which events it showed:
  curl ${url}/simulator/account
  curl '${url}/simulator/events?from=TIME&to=TIME'

Press Ctrl-C to end.
`)
}
