import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../functions/adapters/clock.ts'
import { visible, visibleLines } from '../../functions/domain/text.ts'
import { errorCode } from '../../local/services/files.ts'
import { Mistake } from '../outcome.ts'
import type { Questions, Terminal } from '../terminal.ts'
import { openBrowser } from './browser.ts'

/** A key has at most 4,096 characters, and a JSON object around it some more. */
const stdinMax = 65_536

const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you have no permission',
  EISDIR: 'it is a folder',
}

export function nodeTerminal(): Terminal {
  const isInteractive = process.stdin.isTTY === true && process.stderr.isTTY === true
  return {
    isInteractive,
    out: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(`${visibleLines(text)}\n`),
    // The answer of the command goes to stdout, so the questions are on stderr.
    ask: isInteractive ? questionsOn({ input: process.stdin, output: process.stderr }) : nobody,
    async readStdin() {
      let text = ''
      for await (const chunk of process.stdin.setEncoding('utf8')) {
        text += chunk
        if (text.length > stdinMax) throw new Mistake(`The input has more than ${stdinMax} characters. That is no API key.`)
      }
      return text
    },
    readFile(path) {
      try {
        return readFileSync(path === '-' ? 0 : path, 'utf8')
      } catch (error) {
        const code = errorCode(error) ?? ''
        throw new Mistake(`${path} cannot be read: ${fileErrors[code] ?? code}.`)
      }
    },
    openBrowser,
    now: systemClock.now,
    sleep: (ms) => wait(ms),
    newId: randomUUID,
  }
}

/** The streams of a terminal. */
interface Streams {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

/** The library is loaded when somebody is asked: most commands ask nothing. */
export function questionsOn(on: Streams): Questions {
  return {
    async confirm(message) {
      const { confirm } = await import('@inquirer/prompts')
      return confirm({ message: visible(message), default: false }, on)
    },
    async text(message, { byDefault, problem } = {}) {
      const { input } = await import('@inquirer/prompts')
      const validate = async (text: string) => (await problem?.(text)) ?? true
      return input({ message: visible(message), validate, ...(byDefault === undefined ? {} : { default: byDefault }) }, on)
    },
    async secret(message) {
      const { password } = await import('@inquirer/prompts')
      return password({ message: visible(message), mask: false }, on)
    },
    async oneOf(message, choices) {
      const { select } = await import('@inquirer/prompts')
      return select({ message: visible(message), choices: choices.map(({ value, name = value }) => ({ value, name })) }, on)
    },
    async someOf(message, choices) {
      const { checkbox } = await import('@inquirer/prompts')
      const shown = choices.map(({ value, name = value, checked = false }) => ({ value, name, checked }))
      return checkbox({ message: visible(message), required: true, choices: shown }, on)
    },
    async edit(message, text) {
      const { editor } = await import('@inquirer/prompts')
      return editor({ message: visible(message), default: text, postfix: '.yaml' }, on)
    },
  }
}

const refuse = (message: string) =>
  Promise.reject(new Mistake(`Nobody is at the terminal to answer "${message}". Give it as an option; see --help.`))

const nobody: Questions = { confirm: refuse, text: refuse, secret: refuse, oneOf: refuse, someOf: refuse, edit: refuse }
