import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openLake } from '../../local/lake.ts'
import { openDeliveryStream } from '../../local/services/firehose/delivery-stream.ts'
import { gzipMember, wholeMembersLength } from '../../local/services/firehose/gzip-members.ts'
import { layoutOf } from '../../local/services/firehose/s3-destination.ts'
import { eventually } from '../eventually.ts'
import { localServices, temporaryFolder } from '../local-services.ts'

const objectsIn = (dataDir: string) => globSync(join(dataDir, 'lake/**/*.gz')).sort()
const linesIn = (path: string) => gunzipSync(readFileSync(path)).toString().trimEnd().split('\n')
const batch = (...lines: string[]) => ({
  DeliveryStreamName: 'lake',
  Records: lines.map((line) => ({ Data: Buffer.from(`${line}\n`).toString('base64') })),
})
const put = 'Firehose_20150804.PutRecordBatch'

describe('the local delivery stream', () => {
  it('puts an object where Firehose would: into the UTC hour in which its oldest record arrived', async () => {
    const dataDir = temporaryFolder()
    let now = Date.UTC(2026, 10, 24, 23, 59, 59)
    const stream = await openDeliveryStream({ dataDir, now: () => now })
    await stream.operations[put]!(batch('{"id":"a"}'))
    now += 5_000
    await stream.operations[put]!(batch('{"id":"b"}', '{"id":"c"}'))
    await stream.close()
    const [object, ...others] = objectsIn(dataDir)
    expect(others).toEqual([])
    expect(object).toMatch(/lake\/syslog\/dt=2026-11-24\/hour=23\/syslog-1-2026-11-24-23-59-59-[0-9a-f-]{36}\.json\.gz$/)
    expect(linesIn(object!)).toEqual(['{"id":"a"}', '{"id":"b"}', '{"id":"c"}'])
  })

  it('puts acknowledged records into the lake soon by itself', async () => {
    expect(layoutOf().bufferedMsMax).toBe(1_000)
    const dataDir = temporaryFolder()
    const stream = await openDeliveryStream({ dataDir })
    await stream.operations[put]!(batch('{"id":"a"}'))
    await eventually(() => objectsIn(dataDir).length).toBe(1)
    await stream.close()
  })

  it('makes few objects from many batches', async () => {
    const dataDir = temporaryFolder()
    const stream = await openDeliveryStream({ dataDir })
    const line = JSON.stringify({ text: 'x'.repeat(10_000) })
    for (let n = 0; n < 200; n += 1) await stream.operations[put]!(batch(...Array(10).fill(line)))
    await stream.close()
    expect(objectsIn(dataDir).length).toBeLessThanOrEqual(10)
    expect(objectsIn(dataDir).flatMap(linesIn)).toHaveLength(2_000)
  })

  it("keeps to Firehose's limits", async () => {
    const { addresses, clientConfig } = await localServices()
    const client = new FirehoseClient({ ...clientConfig, endpoint: addresses.firehose })
    const send = (count: number, bytes: number) =>
      client.send(new PutRecordBatchCommand({ DeliveryStreamName: 'lake', Records: Array(count).fill({ Data: new Uint8Array(bytes) }) }))
    await expect(send(501, 1)).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    await expect(send(1, 1_024_001)).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    await expect(send(5, 900_000)).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    await expect(send(4, 900_000)).resolves.toMatchObject({ FailedPutCount: 0 })
  })

  it('refuses a client that does not know the access key', async () => {
    const { addresses } = await localServices()
    const credentials = { accessKeyId: 'guessed', secretAccessKey: 'guessed' }
    const client = new FirehoseClient({ region: 'us-east-1', credentials, endpoint: addresses.firehose })
    const command = new PutRecordBatchCommand({ DeliveryStreamName: 'lake', Records: [{ Data: new Uint8Array(1) }] })
    await expect(client.send(command)).rejects.toMatchObject({ name: 'UnrecognizedClientException' })
  })

  it('loses no acknowledged record, repeats none and leaves no torn object when it is killed again and again', async () => {
    const dataDir = temporaryFolder()
    const acknowledged: string[] = []
    for (let life = 0; life < 6; life += 1) {
      const script = fileURLToPath(new URL('./deliver-until-killed.ts', import.meta.url))
      const child = spawn(process.execPath, [script, dataDir, String(life)], { stdio: ['ignore', 'pipe', 'inherit'] })
      // Each life is longer than the one before. The last one fills more than one object by size.
      let pagesLeft = 5 + 4 * life
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged.push(...line.split(' '))
        pagesLeft -= 1
        if (pagesLeft === 0) child.kill('SIGKILL')
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      expect(child.signalCode).toBe('SIGKILL')
    }

    const lake = await openLake(dataDir)
    const rows = await lake.query('SELECT id, count(*) AS times FROM syslog_raw GROUP BY id')
    lake.close()
    const times = new Map(rows.map((row) => [row['id'], row['times']]))
    expect(acknowledged.filter((id) => times.get(id) !== 1)).toEqual([])
    expect([...times.values()].filter((count) => count !== 1)).toEqual([])
    for (const object of objectsIn(dataDir)) for (const line of linesIn(object)) JSON.parse(line)
  })

  it('cuts a torn object after its last whole batch', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'firehose'))
    const open = join(dataDir, 'firehose', 'syslog-1-2026-11-24-21-05-33-x.json.gz')
    writeFileSync(open, await gzipMember(Buffer.from('{"id":"a"}\n')))
    appendFileSync(open, (await gzipMember(Buffer.from('{"id":"b"}\n'))).subarray(0, -3))
    const stream = await openDeliveryStream({ dataDir })
    expect(objectsIn(dataDir).flatMap(linesIn)).toEqual(['{"id":"a"}'])
    await stream.close()
  })

  it('writes an object of several batches as one gzip member, because a reader may stop at the end of the first', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'firehose'))
    const open = join(dataDir, 'firehose', 'syslog-1-2026-11-24-21-05-33-x.json.gz')
    for (const id of ['a', 'b']) appendFileSync(open, await gzipMember(Buffer.from(`{"id":"${id}"}\n`)))
    const stream = await openDeliveryStream({ dataDir })
    const [object = ''] = objectsIn(dataDir)
    const content = readFileSync(object)
    const { buffer, engine } = inflateRawSync(content.subarray(10), { info: true }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    expect(buffer.toString()).toBe('{"id":"a"}\n{"id":"b"}\n')
    expect(10 + engine.bytesWritten + 8).toBe(content.length)
    await stream.close()
  })

  it('makes no object from a file without an acknowledged record', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'firehose'))
    const torn = (await gzipMember(Buffer.from('{"id":"a"}\n'))).subarray(0, 7)
    writeFileSync(join(dataDir, 'firehose', 'syslog-1-2026-11-24-21-05-33-x.json.gz'), torn)
    const stream = await openDeliveryStream({ dataDir })
    await stream.close()
    expect(objectsIn(dataDir)).toEqual([])
    expect(globSync(join(dataDir, 'firehose/*'))).toEqual([])
  })
})

describe('the destination of a local delivery stream', () => {
  const at = Date.UTC(2026, 10, 5, 7, 8, 9)
  /** Delivers one line and returns the path and the bytes of its object. */
  async function delivered(destination: unknown) {
    const dataDir = temporaryFolder()
    const stream = await openDeliveryStream({ dataDir, destination, now: () => at })
    await stream.operations[put]!(batch('{"id":"a"}'))
    await stream.close()
    const [path, ...others] = globSync('**/*', { cwd: join(dataDir, 'lake'), withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    expect(others).toEqual([])
    return { path: relative(join(dataDir, 'lake'), path!), content: readFileSync(path!) }
  }

  it('lies where the Prefix says, with each time field replaced by its part of the UTC time', async () => {
    const { path } = await delivered({
      Prefix: 'a/!{timestamp:yyyy/MM}/dt=!{timestamp:yyyyMMdd}/!{timestamp:HH}-',
      CompressionFormat: 'GZIP',
    })
    expect(path).toMatch(/^a\/2026\/11\/dt=20261105\/07-syslog-1-2026-11-05-07-08-09-[0-9a-f-]{36}\.gz$/)
  })

  it('has the folders of the hour when the Prefix names no time, as Firehose adds them', async () => {
    expect((await delivered({ Prefix: 'raw/' })).path).toMatch(/^raw\/2026\/11\/05\/07\/syslog-1-[^/.]+$/)
    expect((await delivered({})).path).toMatch(/^2026\/11\/05\/07\/syslog-1-[^/.]+$/)
  })

  it('has the compression and the extension of its settings', async () => {
    const plain = await delivered({ CompressionFormat: 'UNCOMPRESSED', FileExtension: '.ndjson' })
    expect(plain.path).toMatch(/\.ndjson$/)
    expect(plain.content.toString()).toBe('{"id":"a"}\n')
    const compressed = await delivered({ CompressionFormat: 'GZIP', FileExtension: '.json.gz' })
    expect(compressed.path).toMatch(/[0-9a-f]\.json\.gz$/)
    expect(gunzipSync(compressed.content).toString()).toBe('{"id":"a"}\n')
  })

  it('gets an object as soon as its size before compression is reached', async () => {
    const dataDir = temporaryFolder()
    const destination = { CompressionFormat: 'GZIP', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 } }
    const stream = await openDeliveryStream({ dataDir, destination })
    const line = 'x'.repeat(300 * 1024)
    await stream.operations[put]!(batch(line, line, line))
    expect(objectsIn(dataDir)).toEqual([])
    await stream.operations[put]!(batch(line))
    expect(objectsIn(dataDir)).toHaveLength(1)
    await stream.close()
  })

  it('gets an object when its oldest record has waited long enough', async () => {
    const dataDir = temporaryFolder()
    const stream = await openDeliveryStream({
      dataDir,
      destination: { CompressionFormat: 'GZIP', BufferingHints: { IntervalInSeconds: 0 } },
    })
    await stream.operations[put]!(batch('{"id":"a"}'))
    await eventually(() => objectsIn(dataDir).length).toBe(1)
    await stream.close()
  })

  it('keeps the whole lines of a torn object that is not compressed', async () => {
    const dataDir = temporaryFolder()
    mkdirSync(join(dataDir, 'firehose'))
    writeFileSync(join(dataDir, 'firehose', 'syslog-1-2026-11-24-21-05-33-x.json'), '{"id":"a"}\n{"id":"b"}\n{"id"')
    const stream = await openDeliveryStream({ dataDir, destination: { Prefix: 'raw/dt=!{timestamp:yyyy-MM-dd}/' } })
    await stream.close()
    const object = join(dataDir, 'lake/raw/dt=2026-11-24/syslog-1-2026-11-24-21-05-33-x.json')
    expect(readFileSync(object, 'utf8')).toBe('{"id":"a"}\n{"id":"b"}\n')
  })

  it.each([
    ['Prefix', '!{timestamp:yyyy-ww}', '"!{timestamp:yyyy-ww}" is not supported'],
    ['Prefix', "!{timestamp:'year='yyyy}", '"!{timestamp:\'year=\'yyyy}" is not supported'],
    ['Prefix', '!{timestamp:}', '"!{timestamp:}" is not supported'],
    ['Prefix', 'a/!{partitionKeyFromQuery:tenant}/', '"!{partitionKeyFromQuery:tenant}" is not supported'],
    ['Prefix', 'a/!{firehose:random-string}/', '"!{firehose:random-string}" is not supported'],
    ['Prefix', 'a/!{timestamp:yyyy', '"!{timestamp:yyyy" is not supported'],
    ['CompressionFormat', 'Snappy', 'UNCOMPRESSED'],
    ['FileExtension', 'gz', 'at FileExtension'],
    ['BufferingHints', { SizeInMBs: 129 }, 'at BufferingHints.SizeInMBs'],
    ['BufferingHints', { IntervalInSeconds: 901 }, 'at BufferingHints.IntervalInSeconds'],
    ['DataFormatConversionConfiguration', { Enabled: true }, 'at DataFormatConversionConfiguration.Enabled'],
    ['DynamicPartitioningConfiguration', { Enabled: true }, 'at DynamicPartitioningConfiguration.Enabled'],
    ['ProcessingConfiguration', { Enabled: true }, 'at ProcessingConfiguration.Enabled'],
  ])('refuses %s %j with the reason', async (property, value, said) => {
    const opened = openDeliveryStream({ dataDir: temporaryFolder(), destination: { [property]: value } })
    await expect(opened).rejects.toThrow(said)
  })
})

describe('gzip members', () => {
  it('can be read by every gzip reader, and the whole ones are found wherever their file is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1 }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (parts, at) => {
          const members = await Promise.all(parts.map(gzipMember))
          const file = Buffer.concat(members)
          expect(gunzipSync(file)).toEqual(Buffer.concat(parts))
          const cut = Math.floor(file.length * at)
          let whole = 0
          for (const member of members)
            if (whole + member.length <= cut) whole += member.length
            else break
          expect(wholeMembersLength(file.subarray(0, cut))).toBe(whole)
        },
      ),
    )
  })
})
