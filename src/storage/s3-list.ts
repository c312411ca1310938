import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { MaxbrodError } from '../runtime/errors.ts'
import { compareKeys } from './key.ts'
import type { ListedObject } from './port.ts'
import { until } from './s3-client.ts'
import type { S3Call } from './s3-failure.ts'
import { s3Error } from './s3-errors.ts'

export interface S3Listing {
  readonly bucket: string
  /** All with the prefix of the storage URL. */
  readonly prefix: string
  readonly after?: string | undefined
  readonly pageKeys?: number | undefined
  readonly call: S3Call
}

/** The objects below a prefix, page by page; keys with the prefix of the storage URL. */
export async function* listObjects(client: S3Client, listing: S3Listing): AsyncGenerator<ListedObject> {
  const order = ascending(listing)
  for await (const { EncodingType, Contents = [] } of pages(client, listing, undefined)) {
    for (const { Key = '', Size = 0, ETag = '', LastModified } of Contents) {
      const key = decoded(Key, EncodingType)
      order(key)
      yield { key, bytes: Size, etag: ETag, modifiedAtMs: LastModified?.getTime() ?? 0 }
    }
  }
}

/** What lies below a prefix, up to the next slash and with it; the keys of objects without one go to `onObject`. */
export async function* listCommonPrefixes(
  client: S3Client,
  listing: S3Listing,
  onObject: (key: string) => void,
): AsyncGenerator<string> {
  const order = ascending(listing)
  for await (const { EncodingType, CommonPrefixes = [], Contents = [] } of pages(client, listing, '/')) {
    for (const { Key = '' } of Contents) onObject(decoded(Key, EncodingType))
    for (const { Prefix = '' } of CommonPrefixes) {
      const prefix = decoded(Prefix, EncodingType)
      order(prefix)
      yield prefix
    }
  }
}

async function* pages(
  client: S3Client,
  { bucket, prefix, after, pageKeys, call }: S3Listing,
  delimiter: string | undefined,
): AsyncGenerator<ListObjectsV2CommandOutput> {
  for (let token: string | undefined; ;) {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      // Without it, a foreign key with a control character makes the whole page unreadable.
      EncodingType: 'url',
      ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
      ...(after === undefined ? {} : { StartAfter: after }),
      ...(token === undefined ? {} : { ContinuationToken: token }),
      ...(pageKeys === undefined ? {} : { MaxKeys: pageKeys }),
    })
    const page = await send(client, command, call)
    call.signal?.throwIfAborted()
    yield page
    if (page.IsTruncated !== true) return
    const next = page.NextContinuationToken
    if (next === undefined) throw refused(call, 'a page says that more follow, and not how to get them')
    // Pages may be empty, and then nothing else would show that it is the same one for ever.
    if (next === token) throw refused(call, 'a page says that it follows itself')
    token = next
  }
}

async function send(
  client: S3Client,
  command: ListObjectsV2Command,
  call: S3Call,
): Promise<ListObjectsV2CommandOutput> {
  try {
    return await client.send(command, until(call.signal))
  } catch (error) {
    throw s3Error(error, call)
  }
}

/** AWS writes a space as plus and a plus as %2B. */
function decoded(text: string, encoding: string | undefined): string {
  if (encoding !== 'url') return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/**
 * Chains of tiles are read in order, so a store that lists without (S3 directory buckets) must not go unnoticed, nor one
 * that sends the same page again. Some sort supplementary characters as UTF-16 does, which no key of ours has.
 */
function ascending({ call }: S3Listing): (key: string) => void {
  let last: string | undefined
  return key => {
    if (last !== undefined && key <= last && compareKeys(key, last) <= 0)
      throw refused(call, `it lists ${key} after ${last}`)
    last = key
  }
}

function refused({ key, url }: S3Call, reason: string): MaxbrodError {
  return new MaxbrodError('STORAGE_REFUSED', `cannot list ${key} at ${url}: ${reason}`, {
    key,
    url,
    hint: 'use a bucket that lists keys in order; S3 directory buckets do not',
  })
}
