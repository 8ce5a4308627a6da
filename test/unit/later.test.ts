import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import { expect, it } from 'vitest'
import { inThisProcess, invokeLater } from '../../functions/adapters/later.ts'

const caller = { tenant: 'acme', awsRequestId: 'aws-1' }

it('on AWS the function calls itself by the alias of the caller, and does not wait', async () => {
  const lambda = mockClient(LambdaClient)
  lambda.on(InvokeCommand).resolves({ StatusCode: 202 })
  await invokeLater({ client: new LambdaClient({ region: 'us-east-1' }), functionName: 'tributary-operate' }).call({ a: 1 }, caller)
  const [call] = lambda.commandCalls(InvokeCommand)
  const { Payload, ...input } = call!.args[0].input
  expect(input).toEqual({ FunctionName: 'tributary-operate', Qualifier: 'acme', InvocationType: 'Event' })
  expect(JSON.parse(Buffer.from(Payload as Uint8Array).toString())).toEqual({ a: 1 })
})

it('elsewhere it goes on in the same process, and the answer does not wait for that', async () => {
  const calls: unknown[] = []
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  await inThisProcess(async (...call) => {
    calls.push(call)
    await ended
  }).call({ a: 1 }, caller)
  expect(calls).toEqual([[{ a: 1 }, caller]])
  end()
})
