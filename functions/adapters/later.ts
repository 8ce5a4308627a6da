import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import type { Later } from '../domain/ports.ts'

/** Another call of the function on AWS, by the alias of the caller. It begins at once, and nobody waits for its answer. */
export function invokeLater({ client, functionName }: { readonly client: LambdaClient; readonly functionName: string }): Later {
  return {
    async call(payload, { tenant }) {
      const Payload = Buffer.from(JSON.stringify(payload))
      await client.send(new InvokeCommand({ FunctionName: functionName, Qualifier: tenant, InvocationType: 'Event', Payload }))
    },
  }
}

/** A call in this process, for a program that goes on running. `answer` never rejects. */
export function inThisProcess(answer: (...call: Parameters<Later['call']>) => Promise<unknown>): Later {
  return {
    async call(payload, caller) {
      void answer(payload, caller)
    },
  }
}
