/**
 * Stands in for the SDK's module of event streams in each bundle. No API in use streams events. The client of Lambda needs the module
 * to start, for an operation that answers with a stream, and the bundle of `operate` is 36 KB smaller without it.
 */
export function eventStreamSerdeProvider(): object {
  return {}
}

export function resolveEventStreamSerdeConfig<T>(config: T): T {
  return config
}
