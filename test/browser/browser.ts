import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

/** The program of the browser: the one that `CHROMIUM` names, the system's, or that of Playwright. Undefined if there is none. */
export function findBrowser(): string | undefined {
  return [
    process.env['CHROMIUM'] ?? '',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    chromium.executablePath(),
  ].find((path) => path !== '' && existsSync(path))
}

/** Chromium refuses its sandbox to root, as in a container. */
export function launchBrowser() {
  const executablePath = findBrowser()
  if (executablePath === undefined) throw new Error('There is no Chromium: "npm run test:browser" installs it.')
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}
