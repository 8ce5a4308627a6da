import { join } from 'node:path'

export const projectDir = join(import.meta.dirname, '../..')
/** What the judges need and leave behind; git does not know it. */
export const judgesDir = join(projectDir, '.judges')
/** The stack as it was synthesised for this test. */
export const assemblyDir = join(judgesDir, 'cdk.out')
/** What the last run of the deployment left: its lake, its calls and what its vendor showed. */
export const runDir = join(judgesDir, 'run')
export const lakeDir = join(runDir, 'lake')
/** The settings that it was synthesised with. */
export const settingsFile = join(judgesDir, 'settings.json')
