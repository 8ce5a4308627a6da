import type { OperatorAnswer } from '../../cli/answers.ts'
import { operatorAnswer } from '../../cli/answers.ts'
import type { KeyName, Place } from '../../cli/operator.ts'
import { Mistake } from '../../cli/outcome.ts'
import type { Session } from '../../cli/session.ts'
import type { Questions, Terminal } from '../../cli/terminal.ts'
import type { Operation } from '../../functions/domain/operate/operation.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { answerCall } from '../../functions/flows/operate/call.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { connectorItem, policy, World } from '../../simulation/world.ts'
import { Tester } from '../simulation/tester.ts'

/** A command in a world: the flows of `operate` behind its operator, and a terminal whose answers are given. */

export const title = 'Stack tributary, account 111122223333, region eu-central-1'

interface Given {
  readonly world?: World
  /** The saved connectors. Each has a secret of its own unless it names one. */
  readonly items?: readonly ConnectorItem[]
  /** Files that the person names. */
  readonly files?: Readonly<Record<string, string>>
  /** The person's answers. Without them nobody is at the terminal. */
  readonly answers?: Partial<Questions>
  readonly yes?: boolean
  readonly stdin?: string
  /** Hosts that the deployment allows beside those of the vendor. */
  readonly allowedHosts?: readonly string[]
}

export async function openSession(given: Given = {}) {
  const {
    world = new World({ ticking: false, furtherKeys: 4 }),
    items = [],
    files = {},
    answers,
    yes = false,
    stdin = '',
    allowedHosts = [],
  } = given
  const tester = new Tester(world, { policy: { ...policy, vendors, allowedHosts } })
  for (const item of items) await tester.save(item)
  /** Everything that a person sees and everything that is asked of the operator, in order. */
  const happened: string[] = []
  const asked: Operation[] = []
  const keys = new Map<string, KeyName>()
  const place: Place = {
    title,
    names: { stack: 'tributary', account: '111122223333', region: 'eu-central-1', alias: 'all' },
    operator: {
      async ask(operation): Promise<OperatorAnswer> {
        asked.push(operation)
        if ('requestId' in operation) happened.push(`→ ${operation.action}`)
        const answer = await answerCall(
          tester.ports(),
          operation,
          { tenant: 'all', awsRequestId: `aws-${asked.length}` },
          Number.POSITIVE_INFINITY,
        )
        return operatorAnswer.parse(asJson(answer.ok ? { ok: true, ...answer.value } : { ok: false, ...answer.failure }))
      },
    },
    keys: {
      list: async (prefix) => [...keys.values()].filter(({ name }) => name.startsWith(prefix)),
      async set(reference) {
        happened.push('→ key set')
        const isKnown = keys.has(reference)
        keys.set(reference, { name: reference, changedAt: world.clock.now() })
        return isKnown ? 'replaced' : 'new'
      },
    },
    secretPrefix: 'tributary/',
    page: () => 'https://eu-central-1.console.aws.amazon.com/',
    lake: () => ({ kind: 'athena', editor: 'https://console.aws.amazon.com/', workgroup: 'tributary', database: 'tributary' }),
    close: async () => undefined,
  }
  let ids = 0
  const terminal: Terminal = {
    isInteractive: answers !== undefined,
    out: (text) => void happened.push(text),
    note: (text) => void happened.push(text),
    ask: { ...nobody, ...answers },
    readStdin: async () => stdin,
    readFile(path) {
      const text = files[path]
      if (text === undefined) throw new Mistake(`${path} cannot be read: there is no such file.`)
      return text
    },
    openBrowser: async () => false,
    now: () => world.clock.now(),
    sleep: (ms) => world.run(ms),
    newId() {
      ids += 1
      return `command-${ids}`
    },
  }
  const session: Session = { terminal, place, yes }
  const stored = (connectorId: string) => tester.items.get(connectorId)
  return { session, tester, world, happened, asked, stored }
}

const refuse = (message: string) => Promise.reject(new Error(`Nobody answers: ${message}`))
const nobody: Questions = { confirm: refuse, text: refuse, secret: refuse, oneOf: refuse, someOf: refuse, edit: refuse }

function asJson(value: object): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** Connectors of two tenants, each with a secret of its own. */
export const fleet: readonly ConnectorItem[] = [
  connectorItem({ connectorId: 'acme.one', apiKeySecrets: ['tributary/acme/simulated-1'] }),
  connectorItem({ connectorId: 'acme.two', apiKeySecrets: ['tributary/acme/simulated-2'] }),
  connectorItem({ connectorId: 'globex.cas', tenantName: 'Globex', apiKeySecrets: ['tributary/globex/simulated-3'] }),
]
