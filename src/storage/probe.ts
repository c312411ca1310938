import { createHash } from 'node:crypto'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from './port.ts'

/** Far more than the object that is meant for this has. */
const PROBE_BYTES_MAX = 64 * 1024

/**
 * Finds out whether the store keeps its first promise, by putting an object again that exists: `@cluster/cluster.json`,
 * which every archive has. Throws STORAGE_UNCONDITIONAL when the store claims to have created it. Such a store has then
 * overwritten the object, with the very bytes and facts that it had just given out, so nothing is lost; that is why it
 * must not be called with anything that somebody might replace.
 */
export async function probeCreateOnly(store: ObjectStore, key: string, signal?: AbortSignal): Promise<void> {
  const content = await readSmall(store, key, signal)
  const body = {
    bytes: content.bytes.length,
    sha256: createHash('sha256').update(content.bytes).digest('hex'),
    async *open() {
      yield content.bytes
    },
  }
  const put = await store.put(key, body, content.facts, signal)
  if (!put.created) return
  throw new MaxbrodError('STORAGE_UNCONDITIONAL', `${store.url} created ${key}, which existed already`, {
    key,
    url: store.url,
    hint: 'use a store that honours If-None-Match, or run one worker only and say --allow-unconditional-put',
  })
}

async function readSmall(store: ObjectStore, key: string, signal: AbortSignal | undefined) {
  await using read = await store.get(key, { signal })
  if (read.bytes > PROBE_BYTES_MAX) {
    throw new MaxbrodError('OBJECT_LIMIT', `${key} has ${read.bytes} bytes, expected were a few hundred`, { key })
  }
  const chunks: Buffer[] = []
  for await (const chunk of read.body) chunks.push(chunk)
  return { bytes: Buffer.concat(chunks), facts: read.facts }
}
