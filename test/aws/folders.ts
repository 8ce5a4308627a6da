import { join } from 'node:path'

export const projectDir = join(import.meta.dirname, '../..')
/** The installed judges and their results. git ignores it. */
export const judgesDir = join(projectDir, '.judges')
/** The stack that was synthesised for this test. */
export const assemblyDir = join(judgesDir, 'cdk.out')
/** The same stack with every setting that adds something. Nothing of it runs. */
export const fullAssemblyDir = join(judgesDir, 'cdk.full.out')
/** The settings of a synthesised stack. */
export const settingsOf = (assembly: string) => `${assembly}.settings.json`
/** The results of the last run of the deployment: its lake, its calls and the events that its vendor showed. */
export const runDir = join(judgesDir, 'run')
export const lakeDir = join(runDir, 'lake')
