import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { recordsFolder } from '../lib/lake/lake-layout.ts'
import type { Lake, LakeObject } from './lake.ts'

/** The lake in S3, with the former versions of its objects: a version that stayed would still hold the records. */
export function lakeBucket(client: S3Client, bucket: string): Lake {
  function objectOf(name: string, version: string | undefined, isLatest: boolean, bytes: number): LakeObject {
    const place = { Bucket: bucket, Key: name, VersionId: version }
    const get = () => client.send(new GetObjectCommand(place))
    const remove = async () => void (await client.send(new DeleteObjectCommand(place)))
    return {
      name,
      bytes,
      isFormer: !isLatest,
      remove,
      async read() {
        const { Body } = await get()
        if (Body instanceof Readable) return Body
        throw new Error('S3 sent no body.')
      },
      async replace(content) {
        const { ContentType, ContentEncoding, Metadata, ETag, Body } = await get()
        if (Body instanceof Readable) Body.destroy()
        const next = await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: name, Body: content, ContentType, ContentEncoding, Metadata, IfMatch: ETag }),
        )
        // In a bucket that keeps no versions the new content has taken the place of the former one.
        if (next.VersionId !== undefined && next.VersionId !== version) await remove()
      },
    }
  }

  return {
    async *objects() {
      let from: Pick<ListObjectVersionsCommandOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> | undefined = {}
      while (from !== undefined) {
        const markers = { KeyMarker: from.NextKeyMarker, VersionIdMarker: from.NextVersionIdMarker }
        const page: ListObjectVersionsCommandOutput = await client.send(
          new ListObjectVersionsCommand({ Bucket: bucket, Prefix: recordsFolder, ...markers }),
        )
        for (const { Key, VersionId, IsLatest = true, Size = 0 } of page.Versions ?? []) {
          if (Key !== undefined) yield objectOf(Key, VersionId, IsLatest, Size)
        }
        from = page.IsTruncated === true ? page : undefined
      }
    },
  }
}
