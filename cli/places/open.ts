import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dataFolder } from '../../local/services/data-folder.ts'
import type { Place } from '../operator.ts'
import { Mistake } from '../outcome.ts'
import { ofFolder } from './folder.ts'
import { ofStack } from './stack.ts'

/** The options that name a place, as the command line has them. */
export interface PlaceOptions {
  readonly data?: string
  readonly stack?: string
  readonly profile?: string
  readonly region?: string
  readonly alias?: string
}

const project = fileURLToPath(new URL('../..', import.meta.url))

/** The place that the options name. Without one it is the folder .tributary of this project if it is there, otherwise the stack. */
export async function openPlace(options: PlaceOptions): Promise<Place> {
  const { data, stack, profile, region, alias } = options
  const awsOnly = Object.entries({ stack, profile, region, alias }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))
  if (data !== undefined && awsOnly.length > 0) {
    throw new Mistake(`--data names a folder of this machine, and ${awsOnly.join(', ')} a stack on AWS. Give one of them.`)
  }
  const ownFolder = join(project, '.tributary')
  if (data !== undefined) return ofFolder(dataFolder(data))
  if (awsOnly.length === 0 && existsSync(ownFolder)) return ofFolder(resolve(ownFolder))
  return ofStack({
    stack: stack ?? stackOfSettings() ?? 'tributary',
    alias: alias ?? 'all',
    ...(profile === undefined ? {} : { profile }),
    ...(region === undefined ? {} : { region }),
  })
}

/** The stack of the settings file of this project. */
function stackOfSettings(): string | undefined {
  try {
    const settings: unknown = JSON.parse(readFileSync(join(project, 'settings.json'), 'utf8'))
    const prefix = typeof settings === 'object' && settings !== null && 'namePrefix' in settings ? settings.namePrefix : undefined
    return typeof prefix === 'string' ? prefix : undefined
  } catch {
    return undefined
  }
}
