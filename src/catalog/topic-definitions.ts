import { DecodeError } from '../format/batch/varint.ts'
import { plainFacts } from '../format/facts.ts'
import { parseKeyStamp, topicsKey, topicsPrefix } from '../format/keys.ts'
import { topicDefinitions } from '../format/snapshot/topic-definitions.ts'
import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { bodyOf } from './object-body.ts'
import { readWhole } from './read-whole.ts'

const MAX_BYTES = 256 * 1024 * 1024

/** The newest definitions of the archive's topics, with their key; undefined when there are none. Throws OBJECT_CORRUPT. */
export async function readNewestDefinitions(
  store: ObjectStore,
  signal?: AbortSignal,
): Promise<{ key: string; topics: TopicDefinition[] } | undefined> {
  let newest: string | undefined
  for await (const { key } of store.list(topicsPrefix, { signal })) {
    const stamp = key.slice(topicsPrefix.length, -'.avro'.length)
    if (key.endsWith('.avro') && parseKeyStamp(stamp) !== undefined) newest = key
  }
  if (newest === undefined) return undefined
  const file = await readWhole(store, newest, MAX_BYTES, signal)
  if (file === undefined) return undefined
  try {
    return { key: newest, topics: await topicDefinitions.decode(file) }
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause
    throw new MaxbrodError('OBJECT_CORRUPT', `${newest}: ${cause.message}`, { key: newest, cause })
  }
}

/** Writes definitions under the time `atMs`. Two writers in the same millisecond saw the same cluster: one of them is enough. */
export async function writeDefinitions(
  store: ObjectStore,
  topics: readonly TopicDefinition[],
  atMs: number,
  signal?: AbortSignal,
): Promise<string> {
  const file = await topicDefinitions.encode(topics.toSorted((a, b) => (a.topic < b.topic ? -1 : 1)))
  const key = topicsKey(atMs)
  await store.put(key, bodyOf(file), plainFacts(file), signal)
  return key
}
