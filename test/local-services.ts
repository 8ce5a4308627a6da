import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Services, type ServicesOptions, startServices } from '../local/services/services.ts'

/** Makes a folder for one test and deletes it after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts the local services on their own folder and ends them after the test. */
export async function localServices(options: Partial<ServicesOptions> = {}): Promise<Services & { readonly dataDir: string }> {
  const dataDir = options.dataDir ?? temporaryFolder()
  const services = await startServices({ ...options, dataDir })
  onTestFinished(() => services.close())
  return { ...services, dataDir }
}
