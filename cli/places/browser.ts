import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Opens the browser of this machine, if there is one. */

type Environment = Readonly<Record<string, string | undefined>>

/** The program, with its arguments, that opens an address. Undefined where nobody would see a browser. */
export function browserCommand(platform: NodeJS.Platform, environment: Environment): readonly string[] | undefined {
  // Over SSH the browser would be on another screen.
  if ((environment['SSH_CONNECTION'] ?? '') !== '') return undefined
  if (platform === 'darwin') return ['open']
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => (environment[name] ?? '') !== '') ? ['xdg-open'] : undefined
}

/** Returns whether a browser was started. The address is an argument, which every user of the machine can see: it holds no token. */
export async function openBrowser(address: string): Promise<boolean> {
  const [program, ...args] = browserCommand(process.platform, process.env) ?? []
  if (program === undefined) return false
  const child = spawn(program, [...args, address], { stdio: 'ignore', detached: true })
  child.unref()
  return once(child, 'spawn').then(
    () => true,
    () => false,
  )
}
