import { MaxbrodError } from '../runtime/errors.ts'
import { checkFacts } from './facts.ts'
import { KEY_BYTES_MAX, checkKey, checkPrefix } from './key.ts'
import type { ErasableStore } from './port.ts'
import type { S3Options } from './s3-client.ts'
import { newS3Client } from './s3-client.ts'
import { deleteEach } from './delete-each.ts'
import { deleteObject, deleteObjects } from './s3-delete.ts'
import type { S3Call } from './s3-failure.ts'
import { getObject, headObject, lockOf } from './s3-get.ts'
import { listCommonPrefixes, listObjects } from './s3-list.ts'
import { notKept, putObject, wantsChecksum } from './s3-put.ts'

const LOCK_HINT =
  'create the bucket with object lock; the credentials need s3:PutObjectRetention, and s3:GetObjectRetention to see it'

/**
 * A bucket, or what lies below a prefix in one. One request per verb and one attempt per request: what is worth a second
 * one is for retrying.ts. Every wait has a limit, see HttpLimits.
 */
export function openS3Store(options: S3Options): ErasableStore {
  const { bucket, prefix, endpoint, isConditional = true, keeping = {}, pageKeys } = options
  const client = newS3Client(options)
  const url = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
  const base = prefix === '' ? '' : `${prefix}/`

  /** The verb and its object, after a look at the key and the signal. */
  function begin(verb: S3Call['verb'], key: string, signal: AbortSignal | undefined) {
    checkKey(key)
    signal?.throwIfAborted()
    const name = base + key
    if (Buffer.byteLength(name) > KEY_BYTES_MAX) {
      const message = `${key} is too long for ${url}: S3 takes ${KEY_BYTES_MAX} bytes with the prefix`
      throw new MaxbrodError('STORAGE_REFUSED', message, { key, hint: 'use a shorter prefix in --storage' })
    }
    return { bucket, name, call: { verb, key, url, signal } }
  }

  let deletesMany = true
  let keepsChecksum = endpoint === undefined
  let isLockProven = false

  const store: ErasableStore = {
    url,

    async put(key, body, facts, signal) {
      const { name, call: plain } = begin('put', key, signal)
      const call = {
        ...plain,
        hasTags: body.keeping?.tags !== undefined,
        hasLock: keeping.lock !== undefined,
        hasEncryption: keeping.encryption !== undefined,
      }
      checkFacts(facts)
      if (!isConditional && (await headObject(client, { bucket, name, call })) !== undefined) return { created: false }
      const attempt = () =>
        putObject(client, { bucket, name, body, facts, isConditional, keeping, keepsChecksum, call })
      const put = await attempt().catch((error: unknown) => {
        // A bucket that locks by default takes nothing without.
        if (keepsChecksum || !wantsChecksum(error)) throw error
        keepsChecksum = true
        return attempt()
      })
      if (put.created && keeping.lock !== undefined && !isLockProven) {
        // Some stores take the words and keep nothing.
        if ((await lockOf(client, { bucket, name, call })) !== keeping.lock.mode)
          throw notKept(call, 'locked', LOCK_HINT)
        isLockProven = true
      }
      return put
    },

    async get(key, getOptions = {}) {
      return getObject(client, begin('get', key, getOptions.signal), getOptions)
    },

    async head(key, signal) {
      return headObject(client, begin('head', key, signal))
    },

    async *list(below, { after, signal } = {}) {
      checkPrefix(below)
      signal?.throwIfAborted()
      const call = { verb: 'list', key: below, url, signal } as const
      const from = after === undefined ? undefined : base + after
      for await (const { key, ...rest } of listObjects(client, {
        bucket,
        prefix: base + below,
        after: from,
        pageKeys,
        call,
      })) {
        yield { key: key.slice(base.length), ...rest }
      }
    },

    async *folders(below, { after, onObject, signal } = {}) {
      checkPrefix(below)
      signal?.throwIfAborted()
      const call = { verb: 'list', key: below, url, signal } as const
      const above = base + below
      // No key of the folder is greater, because `0` follows the slash; and every key of a later folder is.
      const from = after === undefined ? undefined : `${above}${after}0`
      const listing = { bucket, prefix: above, after: from, pageKeys, call }
      const tell = (key: string) => {
        // Some tools put an empty object at the prefix itself, to show it as a folder.
        if (key !== above) onObject?.(key.slice(base.length))
      }
      for await (const folder of listCommonPrefixes(client, listing, tell)) {
        yield folder.slice(above.length, -1)
      }
    },

    async delete(key, signal) {
      await deleteObject(client, begin('delete', key, signal))
    },

    async deleteAll(keys, signal) {
      const objects = keys.map(key => begin('delete', key, signal))
      if (objects.length === 0) return []
      if (deletesMany) {
        const isThere = async (key: string) => (await store.head(key, signal)) !== undefined
        const found = await deleteObjects(client, bucket, objects, isThere)
        if (found !== 'not implemented') return found
        deletesMany = false
      }
      return deleteEach(store, keys, signal)
    },

    close() {
      client.destroy()
    },
  }
  return store
}
