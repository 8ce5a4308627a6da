#!/usr/bin/env node
// Plain JavaScript, because every Node understands it: an old Node and a folder without its packages get a sentence.
import './node-version.js'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
try {
  await import('./cli/main.ts')
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !/Cannot find package/.test(error.message)) throw error
  process.stderr.write(`The packages that Tributary needs are not installed. Run "npm ci" in ${folder}, then this command again.\n`)
  process.exit(1)
}
