export interface LogFilter {
  readonly name: string
}
