import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import * as z from 'zod'
import { connectorsTable } from '../../functions/adapters/connectors-table.ts'
import { awsClient } from '../../functions/runtime/aws-client.ts'
import { inLocalWords } from '../../local/local-words.ts'
import { queryLake } from '../../local/page/query-lake.ts'
import { connectorsTableName, type Services, startOrConnect } from '../../local/services/services.ts'
import { StartupError } from '../../local/services/startup-error.ts'
import { type EventRow, operatorAnswer } from '../answers.ts'
import type { Operator, Place } from '../operator.ts'
import { Refused } from '../outcome.ts'
import { keyStore } from './key-store.ts'

const secretPrefix = 'tributary/'

/** A data folder of this machine. Throws `StartupError` if there is none. */
export async function ofFolder(dataDir: string): Promise<Place> {
  if (!existsSync(join(dataDir, 'owner.lock'))) {
    throw new StartupError(
      `${dataDir} is not a data folder. "npm start" makes one; name another one with --data DIR, or a stack with --stack NAME.`,
    )
  }
  const services = await startOrConnect({ dataDir, environment: { SECRET_PREFIX: secretPrefix, SECRETS_BOUND_TO_ORIGIN: 'false' } })
  try {
    const functionProcess = await startOperate(services)
    const secrets = new SecretsManagerClient({ ...services.clientConfig, endpoint: services.addresses.secretsManager })
    return {
      title: `Data folder ${dataDir}`,
      names: { folder: dataDir },
      operator: functionProcess,
      keys: keyStore(secrets),
      secretPrefix,
      page: () => pageOf(dataDir),
      lake: () => ({ kind: 'here', query: (sql) => searchLake(dataDir, sql) }),
      ...(services.owner ? { notice: `No program collects into ${dataDir} now: the next "npm start" with this folder takes it up.` } : {}),
      async close() {
        secrets.destroy()
        await functionProcess.close()
        await services.close()
      },
    }
  } catch (error) {
    await services.close()
    throw error
  }
}

/** The program that serves the page writes this file, and takes it away when it ends. */
function pageOf(dataDir: string): string {
  const file = join(dataDir, 'page.html')
  if (existsSync(file)) return pathToFileURL(file).href
  throw new Refused({
    code: 'not-found',
    message: `Nobody serves the page of ${dataDir}. Start the program with "npm start -- --data DIR" (not with --once), then try again.`,
  })
}

async function searchLake(dataDir: string, sql: string): Promise<readonly EventRow[]> {
  const found = await queryLake(dataDir, sql)
  if (found.ok) return found.value
  throw new Refused({ code: 'failed', message: found.failure })
}

const message = z.object({
  ready: z.optional(z.boolean()),
  id: z.optional(z.number()),
  answer: z.optional(z.unknown()),
  error: z.optional(z.string()),
})

/** Runs the function in a process of its own, as on AWS: with its own environment, and with a stdout that is its log. */
async function startOperate(services: Services): Promise<Operator & { close(): Promise<void> }> {
  const { PATH = '', HOME = '', NODE_EXTRA_CA_CERTS } = process.env
  const env = {
    PATH,
    HOME,
    ...(NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS }),
    ...services.environment,
    ...(services.owner ? { ALLOWED_HOSTS: (await hostsInUse(services)).join(',') } : {}),
  }
  const child = spawn(process.execPath, [new URL('operate-process.ts', import.meta.url).pathname], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let trouble = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    trouble = `${trouble}${text}`.slice(-troubleMax)
  })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<void>()
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      const error = new Refused({ code: 'failed', message: `The function operate ended. ${trouble}`.trim() })
      for (const { reject } of waiting.values()) reject(error)
      ready.reject(error)
      resolve()
    })
  })
  child.on('message', (sent) => {
    const { ready: isReady, id, answer, error } = message.parse(sent)
    if (isReady) ready.resolve()
    const asked = id === undefined ? undefined : waiting.get(id)
    if (id !== undefined) waiting.delete(id)
    if (error === undefined) asked?.resolve(answer)
    else asked?.reject(new Refused({ code: 'failed', message: `The function operate failed: ${error}` }))
  })
  await ready.promise
  let lastId = 0
  return {
    async ask(operation) {
      lastId += 1
      const asked = Promise.withResolvers<unknown>()
      waiting.set(lastId, asked)
      child.send({ id: lastId, event: operation })
      return operatorAnswer.parse(inLocalWords(await asked.promise))
    },
    async close() {
      // It has answered everything that it was asked.
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The end of the messages of a process is enough to say why it ended (characters). */
const troubleMax = 2_000

/** While no program says which hosts it allows, those of the connectors that are there stay allowed. */
async function hostsInUse({ clientConfig, addresses }: Services): Promise<readonly string[]> {
  const client = new DynamoDBClient({ ...awsClient, ...clientConfig, endpoint: addresses.dynamodb })
  const hosts = new Set<string>()
  for await (const { baseUrl } of connectorsTable({ client, table: connectorsTableName }).items()) {
    const url = typeof baseUrl === 'string' ? URL.parse(baseUrl) : null
    if (url !== null && url.host !== '') hosts.add(url.host)
  }
  client.destroy()
  return [...hosts]
}
