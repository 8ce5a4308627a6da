import { join } from 'node:path'

export const projectDir = join(import.meta.dirname, '../..')
/** The folder of the judges: their installation and their output. Git ignores it. */
export const judgesDir = join(projectDir, '.judges')
/** The stack as it was synthesised for this test. */
export const assemblyDir = join(judgesDir, 'cdk.out')
/** The output of the last deployment: its lake, its calls and the ids of the events that its vendor showed. */
export const runDir = join(judgesDir, 'run')
export const lakeDir = join(runDir, 'lake')
/** The settings that it was synthesised with. */
export const settingsFile = join(judgesDir, 'settings.json')
