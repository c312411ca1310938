import type { S3Client, ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { Readable } from 'node:stream'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { countedPieces } from './body.ts'
import type { Facts, ObjectBody, PutResult } from './port.ts'
import type { S3Keeping } from './s3-client.ts'
import { until } from './s3-client.ts'
import type { S3Call, S3Failure } from './s3-failure.ts'
import { failureOf } from './s3-failure.ts'
import { noS3, s3Error } from './s3-errors.ts'

export interface S3Put {
  readonly bucket: string
  /** With the prefix. */
  readonly name: string
  readonly body: ObjectBody
  readonly facts: Facts
  readonly isConditional: boolean
  readonly keeping: S3Keeping
  /** Has the store keep the SHA-256, for auditors: AWS does, some other stores refuse the header. */
  readonly keepsChecksum: boolean
  readonly call: S3Call
}

/**
 * One PutObject, streamed from the source: as cheap as a buffer, and a worker may upload many files at once. The store
 * gets the SHA-256 with the signature and refuses other bytes. Errors are those of the port, or of the source.
 */
export async function putObject(client: S3Client, put: S3Put): Promise<PutResult> {
  const { bucket, name, body, facts, call } = put
  const { lock, encryption } = put.keeping
  const { storageClass = put.keeping.storageClass, tags } = body.keeping ?? {}
  const checksum = Buffer.from(body.sha256, 'hex').toString('base64')
  const source = rememberingError(countedPieces(call.key, body, call.signal))
  const stream = Readable.from(source.pieces, { objectMode: false })
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: name,
    Body: stream,
    ContentLength: body.bytes,
    ContentType: contentTypeOf(name),
    Metadata: { ...facts },
    ...(put.isConditional ? { IfNoneMatch: '*' } : {}),
    // A lock is not taken without a checksum that can be looked at later.
    ...(put.keepsChecksum || lock !== undefined ? { ChecksumSHA256: checksum } : {}),
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass }),
    ...(lock === undefined
      ? {}
      : { ObjectLockMode: lock.mode, ObjectLockRetainUntilDate: new Date(Date.now() + lock.retainMs) }),
    ...(encryption === undefined
      ? {}
      : {
          ServerSideEncryption: encryption.by as ServerSideEncryption,
          ...(encryption.kmsKeyId === undefined ? {} : { SSEKMSKeyId: encryption.kmsKeyId }),
        }),
    ...(tags === undefined ? {} : { Tagging: new URLSearchParams([...tags]).toString() }),
  })
  command.middlewareStack.add(
    next => async args => {
      const { headers } = args.request as { headers: Record<string, string> }
      // The signer would leave a streamed body unsigned if this were missing.
      headers['x-amz-content-sha256'] = body.sha256
      return next(args)
    },
    { step: 'build', priority: 'low' },
  )
  try {
    const answer = await client.send(command, until(call.signal))
    const { ETag: etag, ChecksumSHA256: stored = checksum } = answer
    if (stored !== checksum) throw altered(call, body.sha256)
    if (etag === undefined) throw noS3(call)
    if (encryption !== undefined && answer.ServerSideEncryption !== encryption.by)
      throw notKept(call, `encrypted with ${encryption.by}`, ENCRYPTION_HINT)
    return { created: true, etag }
  } catch (error) {
    if (source.error !== undefined) throw source.error
    if (put.isConditional && error instanceof Error && isTaken(failureOf(error))) return { created: false }
    throw s3Error(error, call)
  } finally {
    // When the request was never sent, nobody else closes the source.
    stream.destroy()
  }
}

/** The store refused an object that came without a checksum which it can keep. */
export function wantsChecksum(error: unknown): boolean {
  return isMaxbrodError(error, 'STORAGE_REFUSED') && /content-md5|x-amz-checksum/i.test(error.message)
}

/** A store without versions looks at the lock of what is there before it looks at the condition. */
function isTaken({ status, message }: S3Failure): boolean {
  return status === 412 || (status === 403 && /protected by object lock/i.test(message))
}

/**
 * Keeps what the source itself throws: the SDK wraps and changes it, and a full disk must not look like a failing store.
 * What the stream throws into the generator when the request fails is not of the source.
 */
function rememberingError(from: AsyncGenerator<Uint8Array>) {
  const source = { error: undefined as unknown, pieces: pieces() }
  async function* pieces() {
    try {
      for (;;) {
        const piece = await from.next().catch((error: unknown) => {
          source.error = error
          throw error
        })
        if (piece.done === true) return
        yield piece.value
      }
    } finally {
      await from.return(undefined)
    }
  }
  return source
}

/** The store took the object, and not what was asked for with it. */
export function notKept({ key, url }: S3Call, what: string, hint: string): MaxbrodError {
  return new MaxbrodError('STORAGE_REFUSED', `${url} took ${key}, and does not say that it is ${what}`, {
    key,
    url,
    hint,
  })
}

const ENCRYPTION_HINT = 'this store does not know --sse: leave it out, and encrypt by other means'

function altered({ key, url }: S3Call, sha256: string): MaxbrodError {
  return new MaxbrodError(
    'OBJECT_CORRUPT',
    `${key} at ${url}: the store says that it keeps other bytes than were sent`,
    {
      key,
      url,
      sha256,
      hint: 'remove the object, and look for what alters bytes between here and the store',
    },
  )
}

/** So that a browser shows a report. */
function contentTypeOf(name: string): string {
  if (name.endsWith('.json')) return 'application/json'
  return name.endsWith('.html') ? 'text/html; charset=utf-8' : 'application/octet-stream'
}
