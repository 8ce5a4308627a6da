import { randomUUID } from 'node:crypto'
import { buttonOf } from '../widget-buttons.ts'
import type { HostedFunction } from './lambda-host.ts'

/** An answer of the function `operate`. */
type OperateAnswer = Readonly<Record<string, unknown>>

/** Calls the function `operate` by an alias, as the command does. */
export function operatorOf(operate: HostedFunction) {
  const ask = (question: object, alias = 'all') => operate.invoke(question, alias) as Promise<OperateAnswer>
  const send = (change: object, alias = 'all') => ask({ requestId: randomUUID(), ...change }, alias)
  return {
    ask,
    send,
    /**
     * Begins a Test and looks at it until it is over. Returns the states of its steps. The vendor fails some requests, so the same Test may
     * end otherwise when it is begun again.
     */
    async test(connectorId: string, alias: string, lookAgain: () => Promise<unknown>): Promise<readonly string[]> {
      await send({ action: 'test', connectorId }, alias)
      for (;;) {
        const { state, steps } = await ask({ action: 'test-result', connectorId }, alias)
        if (state !== 'running') return (steps as readonly { readonly state: string }[]).map((step) => step.state)
        await lookAgain()
      }
    },
  }
}

/** Calls the function `operate` by an alias, as a dashboard does. */
export function widgetOf(operate: HostedFunction, alias: string) {
  const draw = async (call: object, forms: object = {}) => {
    const widgetContext = { theme: 'light', params: {}, forms: { all: forms } }
    return String(await operate.invoke({ ...call, widgetContext }, alias))
  }
  return {
    draw,
    async press(page: string, title: string, forms: object = {}): Promise<string> {
      const { endpoint, call } = buttonOf(page, title)
      if (!endpoint.endsWith(`:${alias}`)) throw new Error(`${title} calls ${endpoint}`)
      return draw(call, forms)
    },
  }
}
