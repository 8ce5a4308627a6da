import { StartupError } from './services/startup-error.ts'

/** npm has options of these names, so its settings may hold them. */
const npmsOwn = new Set(['help', 'key', 'only'])

interface Given {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Throws a `StartupError` if npm took options of this program for its own because `--` was forgotten: `npm start --once` runs the program
 * without `--once`, and `npm start --data DIR` passes DIR alone. npm puts what it took into the environment. The options are those of
 * `usage`, a line each.
 * https://docs.npmjs.com/cli/v11/using-npm/config#environment-variables
 */
export function refuseSwallowedOptions(
  script: string,
  usage: string,
  { args, env }: Given = { args: process.argv.slice(2), env: process.env },
): void {
  const swallowed = [...usage.matchAll(/^ +--([a-z0-9-]+)(?: (\S+))?(?: |$)/gm)].flatMap(([, name = '', value]) => {
    const given = npmsOwn.has(name) ? '' : (env[`npm_config_${name.replaceAll('-', '_')}`] ?? '')
    return given === '' || given === 'false' ? [] : [{ name, value, given }]
  })
  if (swallowed.length === 0) return
  const withoutValue = swallowed.filter(({ value, given }) => value !== undefined && given === 'true')
  const words = swallowed.map(({ name, value, given }) => {
    if (value === undefined) return `--${name}`
    // With several values nobody knows which option each belongs to.
    const own = withoutValue.length === 1 && args.length === 1 ? args[0] : value
    return `--${name} ${given === 'true' ? own : given}`
  })
  const names = swallowed.map(({ name }) => `--${name}`).join(' and ')
  throw new StartupError(
    `npm took ${names} as ${swallowed.length === 1 ? 'an option' : 'options'} of its own, so nothing was started. Write -- before the options: ${script} -- ${words.join(' ')}`,
  )
}
