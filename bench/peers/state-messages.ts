/** The state that a platform of Airbyte or Singer keeps for the next run: it reads the messages of a run and stores the last state. */

type Message = Readonly<Record<string, unknown>>

/** The whole messages of type STATE. A message that a kill cut short is none. */
function stateMessages(output: string): Message[] {
  const lines = output.split('\n').slice(0, -1)
  return lines.filter((line) => line.includes('"STATE"')).map((line) => JSON.parse(line))
}

/** Returns the state file of the next run: the last state of each stream, or `before` of streams without one. */
export function airbyteState(before: readonly Message[], output: string): readonly Message[] {
  const states = new Map(before.map((state) => [streamOf(state), state]))
  for (const { state } of stateMessages(output)) states.set(streamOf(state as Message), state as Message)
  return [...states.values()]
}

function streamOf(state: Message): string {
  return JSON.stringify((state as { readonly stream?: { readonly stream_descriptor?: unknown } }).stream?.stream_descriptor)
}

/** Returns the last value; undefined if there is none. */
export function singerState(output: string): unknown {
  return stateMessages(output).at(-1)?.['value']
}

/** Returns the data of the last state; undefined if there is none. */
export function farosState(output: string): unknown {
  return (stateMessages(output).at(-1)?.['state'] as { readonly data?: unknown } | undefined)?.data
}
