import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bodyBytesMax, refusalOf } from '../../local/page/gate.ts'
import { type Page, servePage } from '../../local/page/server.ts'
import { listen } from '../../local/services/listen.ts'

const address = 'http://127.0.0.1:4680'
const token = 'a-token'
const own = {
  host: '127.0.0.1:4680',
  origin: address,
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  'content-length': '2',
}
const status = (more: object, { method = 'POST', path = '/view' } = {}) =>
  refusalOf({ method, path, headers: { ...own, ...more } }, address, token)?.status

describe('the gate of the page', () => {
  it('lets the page itself in', () => {
    expect(status({})).toBeUndefined()
    expect(refusalOf({ method: 'GET', path: '/', headers: { host: own.host } }, address, token)).toBeUndefined()
  })

  it.each([
    ['a name that its owner made point here', { host: 'evil.example:4680' }],
    ['this machine under another name', { host: 'localhost:4680' }],
    ['no name', { host: undefined }],
    ['another page', { origin: 'http://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:8080' }],
    ['a page that hides its origin', { origin: 'null' }],
    ['a program that gives no origin', { origin: undefined }],
  ])('refuses %s', (_, headers) => {
    expect(status(headers)).toBe(403)
  })

  it.each([
    ['no token', { authorization: undefined }, 401],
    ['another token', { authorization: 'Bearer b-token' }, 401],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a body without a length', { 'content-length': undefined }, 413],
    ['a body that is too long', { 'content-length': String(bodyBytesMax + 1) }, 413],
  ])('refuses %s', (_, headers, expected) => {
    expect(status(headers)).toBe(expected)
  })

  it('answers nothing but the page, its script and its views', () => {
    for (const path of ['/page.html', '/../owner.lock', '/view/', '//', '/view?x']) expect(status({}, { path })).toBe(404)
    expect(status({}, { method: 'GET' })).toBe(405)
    expect(status({}, { path: '/' })).toBe(405)
  })
})

describe('the page of this machine', () => {
  let dataDir: string
  let page: Page
  let bearer: string
  const errors: unknown[] = []

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'page-'))
    const show = async (call: unknown) => {
      if (JSON.stringify(call).includes('break')) throw new Error('broken')
      return `<p>${JSON.stringify(call)}</p>`
    }
    page = await servePage({ show, onError: (error) => errors.push(error), dataDir, port: 0 })
    bearer = `Bearer ${/#([^"]*)/.exec(await readFile(page.file, 'utf8'))?.[1]}`
  })
  afterAll(() => rm(dataDir, { recursive: true }))

  function post(body: string, headers: Record<string, string> = {}) {
    return new Promise<{ status: number | undefined; body: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const sent = { origin: page.address, authorization: bearer, 'content-type': 'application/json', ...headers }
      const asked = request(`${page.address}/view`, { method: 'POST', headers: { ...sent, 'content-length': Buffer.byteLength(body) } })
      asked.on('response', async (response) =>
        resolve({ status: response.statusCode, headers: response.headers, body: await text(response) }),
      )
      asked.on('error', reject)
      asked.end(body)
    })
  }
  const call = (values: object, forms: object = {}) => JSON.stringify({ call: { view: 'x', ...values }, forms, theme: 'light' })

  it('is opened by a file that only its owner can read, with a token of 256 bits', async () => {
    expect((await stat(page.file)).mode & 0o777).toBe(0o600)
    expect(bearer).toMatch(/^Bearer [\w-]{43}$/)
  })

  it('loads nothing from another place, runs no other script and is in no frame', async () => {
    const { headers } = await post(call({}))
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    )
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  })

  it('reads the values of a form only when its own button was pressed', async () => {
    expect((await post(call({ find: 'a' }, { find: 'b' }))).body).toBe('<p>{"view":"x","find":"a"}</p>')
    expect((await post(call({ find: 'a', form: true }, { find: 'b' }))).body).toBe('<p>{"view":"x","find":"b","form":true}</p>')
  })

  it('answers a call that the page does not make with words', async () => {
    for (const body of ['', '{', '[]', '{"call":1}', 'null'])
      expect(await post(body)).toMatchObject({ status: 400, body: expect.stringContaining('Load the page again') })
    expect((await post(call({}), { authorization: 'Bearer x' })).status).toBe(401)
  })

  it('goes on after a view that failed, and tells nothing of the error', async () => {
    expect(await post(call({ break: 1 }))).toMatchObject({ status: 500, body: 'The view failed. The log of the program says why.' })
    expect(errors).toHaveLength(1)
    expect((await post(call({}))).status).toBe(200)
  })

  it('says that the port it was asked for is used', async () => {
    const other = createServer()
    const used = await listen(other, 0, 'a test')
    const options = { show: async () => '', onError: () => {}, dataDir }
    await expect(servePage({ ...options, port: used })).rejects.toThrow(`Port ${used} for the page is used by another program.`)
    other.close()
  })

  it('leaves no file behind when it is closed', async () => {
    await page.close()
    await expect(stat(page.file)).rejects.toThrow('ENOENT')
  })
})
