import { expect, it, onTestFinished } from 'vitest'
import { ofFolder } from '../../cli/places/folder.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, ownConnectors, run } from './program.ts'
import { vendor } from './vendors.ts'

it('the shipped function carries out a Test after it has answered: of a saved connector, and of one that is not saved', async () => {
  const { url, host, model } = await vendor({ eventsPerHour: 60 })
  const data = temporaryFolder()
  const item = connectorItem('acme.cas', url, { apiKeySecrets: ['tributary/acme/cas'] })
  const key = 'a-key-of-acme-0123456789abcdef'
  const options = ownConnectors(temporaryFolder(), [item], { 'tributary/acme/cas': key }, [host])
  await run(['--once', '--data', data, ...options])
  const place = await ofFolder(data)
  onTestFinished(() => place.close())
  const { operator, keys } = place
  // The keys of --secrets are those of that start alone.
  await keys.set('tributary/acme/cas', key)
  const result = async (connectorId: string) => {
    const read = async () => (await operator.ask({ action: 'test-result', connectorId })) as { state?: string; steps?: { state: string }[] }
    await eventually(read).not.toMatchObject({ state: 'running' })
    return read()
  }
  const requests = model.account.requests(key).length
  expect(await operator.ask({ action: 'test', connectorId: 'acme.cas', requestId: 'request-1' })).toMatchObject({ ok: true })
  expect(await result('acme.cas')).toMatchObject({ state: 'passed' })
  const unsaved = { ...item, connectorId: 'acme.other', apiKeySecrets: ['tributary/acme/none'] }
  expect(await operator.ask({ action: 'test', connectorId: 'acme.other', requestId: 'request-2', item: unsaved })).toMatchObject({
    ok: true,
  })
  const failed = await result('acme.other')
  expect(failed.steps?.map(({ state }) => state)).toEqual(['passed', 'failed', 'left-out', 'left-out', 'left-out', 'passed', 'left-out'])
  expect(model.account.requests(key).length).toBeGreaterThan(requests)
})
