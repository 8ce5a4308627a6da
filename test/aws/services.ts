import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { listen, loopback } from '../../local/services/listen.ts'
import { judgesDir } from './folders.ts'

/** AWS services that others wrote, on this machine. */
export interface Service {
  readonly address: string
  close(): Promise<void>
}

/** A service must respond within this time after its start (ms). */
const startedWithinMs = 60_000

/** Amazon's own DynamoDB for one machine, in memory. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.html */
export function startDynamoDbLocal(): Promise<Service> {
  const jars = join(judgesDir, 'dynamodb')
  const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'
  // One database for all access keys, because every function has its own key.
  return start('DynamoDB Local', (port) => [
    'java',
    [
      '-Xmx512m',
      `-Djava.library.path=${jars}`,
      '-cp',
      `${jars}/*`,
      main,
      '-inMemory',
      '-sharedDb',
      '-disableTelemetry',
      '-port',
      `${port}`,
    ],
  ])
}

/** SQS, EventBridge and Secrets Manager. https://docs.getmoto.org */
export function startMoto(): Promise<Service> {
  return start('moto', (port) => [join(judgesDir, 'venv/bin/moto_server'), ['-H', loopback, '-p', `${port}`]])
}

async function start(name: string, command: (port: number) => readonly [string, readonly string[]]): Promise<Service> {
  const port = await freePort()
  const [program, args] = command(port)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('error', (error) => (output += String(error)))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output = `${output}${data}`.slice(-4_000)))
  const address = `http://${loopback}:${port}`
  const close = async () => {
    process.off('exit', kill)
    if (child.pid === undefined || hasEnded(child)) return
    kill()
    await once(child, 'exit')
  }
  const giveUpAt = Date.now() + startedWithinMs
  while (!(await responds(address))) {
    if (child.pid === undefined || hasEnded(child) || Date.now() > giveUpAt) {
      await close()
      throw new Error(`${name} did not start. Its output:\n${output}`)
    }
    await wait(50)
  }
  return { address, close }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** Any response will do. */
function responds(address: string): Promise<boolean> {
  return fetch(address).then(
    () => true,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server, 0, 'nothing')
  server.close()
  await once(server, 'close')
  return port
}
