import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3'
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { Readable } from 'node:stream'
import { MaxbrodError } from '../runtime/errors.ts'
import { objectChanged, requireEtag } from './etag.ts'
import { newRead, rangeWithin } from './body.ts'
import type { GetOptions, ObjectHead, ObjectRead } from './port.ts'
import { until } from './s3-client.ts'
import type { S3Call } from './s3-failure.ts'
import { failureOf } from './s3-failure.ts'
import { noS3, s3Error } from './s3-errors.ts'

export interface S3Object {
  readonly bucket: string
  /** With the prefix. */
  readonly name: string
  readonly call: S3Call
}

/** One GetObject, of a range or of all. Errors are those of the port. */
export async function getObject(client: S3Client, object: S3Object, options: GetOptions): Promise<ObjectRead> {
  const { start = 0, bytes, ifMatch, signal } = options
  const { call } = object
  // There is no range of no bytes.
  if (bytes === 0) return emptyRead(client, object, options)
  const range =
    start === 0 && bytes === undefined ? undefined : `bytes=${start}-${bytes === undefined ? '' : start + bytes - 1}`
  let answer: GetObjectCommandOutput
  try {
    const command = new GetObjectCommand({
      Bucket: object.bucket,
      Key: object.name,
      ...(range === undefined ? {} : { Range: range }),
      ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
    })
    answer = await client.send(command, until(signal))
  } catch (error) {
    const status = error instanceof Error ? failureOf(error).status : undefined
    if (status === 416) return emptyRead(client, object, options)
    if (status === 412) throw objectChanged(call.key, ifMatch)
    if (isMissing(error)) throw missing(call)
    throw s3Error(error, call)
  }
  const stream = answer.Body as Readable
  const close = async () => void stream.destroy()
  try {
    const head = headOf(answer, call)
    // Some stores ignore the condition, or the range, and answer as if nothing had been said.
    requireEtag(call.key, head.etag, ifMatch)
    const { from, to } = rangeWithin(head.bytes, start, bytes)
    const first = answer.ContentRange === undefined ? 0 : firstOf(answer.ContentRange)
    if (first !== from || answer.ContentLength !== to - from) {
      const message = `${call.url} sends another range of ${call.key} than was asked for`
      throw new MaxbrodError('STORAGE_REFUSED', message, { key: call.key, from, to })
    }
    return newRead(head, chunksOf(stream, to - from, call), close)
  } catch (error) {
    await close()
    throw error
  }
}

/** One HeadObject; undefined when there is no such object. Errors are those of the port. */
export async function headObject(client: S3Client, { bucket, name, call }: S3Object): Promise<ObjectHead | undefined> {
  try {
    const { signal } = call
    const command = new HeadObjectCommand({ Bucket: bucket, Key: name })
    return headOf(await client.send(command, until(signal)), call)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw s3Error(error, call)
  }
}

/** How an object is locked; undefined when the store does not say. */
export async function lockOf(client: S3Client, { bucket, name, call }: S3Object): Promise<string | undefined> {
  try {
    const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }), until(call.signal))
    return answer.ObjectLockRetainUntilDate === undefined ? undefined : answer.ObjectLockMode
  } catch (error) {
    throw s3Error(error, call)
  }
}

/** Behind the end of an object the store refuses any range; what it is must be asked by other means. */
async function emptyRead(
  client: S3Client,
  object: S3Object,
  { start = 0, bytes, ifMatch }: GetOptions,
): Promise<ObjectRead> {
  const { call } = object
  const head = await headObject(client, object)
  if (head === undefined) throw missing(call)
  requireEtag(call.key, head.etag, ifMatch)
  if (bytes !== 0 && start < head.bytes)
    throw new MaxbrodError('STORAGE_REFUSED', `${call.url} refuses a range inside of ${call.key}`, { key: call.key })
  return newRead(head, noChunks(), async () => {})
}

async function* noChunks(): AsyncGenerator<Buffer> {}

async function* chunksOf(stream: Readable, bytes: number, call: S3Call): AsyncGenerator<Buffer> {
  let left = bytes
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      call.signal?.throwIfAborted()
      left -= chunk.length
      yield chunk
    }
  } catch (error) {
    throw s3Error(error, call)
  }
  if (left !== 0)
    throw new MaxbrodError('STORAGE_UNREACHABLE', `${call.key}: the body ended ${left} bytes early`, { key: call.key })
}

type AnswerHead = Pick<GetObjectCommandOutput, 'ContentRange' | 'ContentLength' | 'ETag' | 'Metadata'>

function headOf({ ContentRange, ContentLength, ETag, Metadata = {} }: AnswerHead, call: S3Call): ObjectHead {
  const bytes = ContentRange === undefined ? ContentLength : Number(/\/(\d+)$/.exec(ContentRange)?.[1])
  if (bytes === undefined || !Number.isSafeInteger(bytes) || ETag === undefined) throw noS3(call)
  return { bytes, etag: ETag, facts: Metadata }
}

/** The first byte that `bytes 100-199/5000` names. */
function firstOf(contentRange: string): number {
  return Number(/^bytes (\d+)-/.exec(contentRange)?.[1])
}

/** Of a missing bucket, too, when the answer has no body to say so. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name !== 'NoSuchBucket' && failureOf(error).status === 404
}

function missing({ key, url }: S3Call): MaxbrodError {
  return new MaxbrodError('OBJECT_MISSING', `${key} does not exist in ${url}`, { key, url })
}
