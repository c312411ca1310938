import { DecodeError } from '../format/batch/varint.ts'
import { plainFacts } from '../format/facts.ts'
import { topicsKey, topicsPrefix } from '../format/keys.ts'
import { topicDefinitions } from '../format/snapshot/topic-definitions.ts'
import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { bodyOf } from './object-body.ts'
import { readWhole } from './read-whole.ts'
import { listSnapshots } from './snapshots.ts'

const MAX_BYTES = 256 * 1024 * 1024

export interface Definitions {
  readonly key: string
  readonly topics: readonly TopicDefinition[]
}

/** The newest definitions of the archive's topics, with their key; undefined when there are none. Throws OBJECT_CORRUPT. */
export async function readNewestDefinitions(
  store: ObjectStore,
  signal?: AbortSignal,
): Promise<Definitions | undefined> {
  return readDefinitionsAt(store, undefined, signal)
}

/** Those that counted at a moment, now if none is given; the first ones when that was before them. Throws OBJECT_CORRUPT. */
export async function readDefinitionsAt(
  store: ObjectStore,
  atMs: number | undefined,
  signal?: AbortSignal,
): Promise<Definitions | undefined> {
  for await (const found of definitionsAround(store, atMs, signal)) return found
  return undefined
}

/**
 * The definition that each topic had last up to a moment, or had first after it, among those that `fits` takes. A topic that was deleted, or that
 * another worker backs up, is missing in newer objects. Throws OBJECT_CORRUPT.
 */
export async function findDefinitions(
  store: ObjectStore,
  topics: readonly string[],
  fits: (definition: TopicDefinition) => boolean,
  atMs: number | undefined,
  signal?: AbortSignal,
): Promise<Map<string, TopicDefinition>> {
  const found = new Map<string, TopicDefinition>()
  const missing = new Set(topics)
  if (missing.size === 0) return found
  for await (const definitions of definitionsAround(store, atMs, signal)) {
    for (const definition of definitions.topics)
      if (fits(definition) && missing.delete(definition.topic)) found.set(definition.topic, definition)
    if (missing.size === 0) break
  }
  return found
}

/** First those not after a moment, the newest first, then those after it, the oldest first. */
async function* definitionsAround(
  store: ObjectStore,
  atMs = Infinity,
  signal?: AbortSignal,
): AsyncGenerator<Definitions> {
  const all = await listSnapshots(store, topicsPrefix, 0, signal)
  const before = all.filter(one => one.atMs <= atMs).toReversed()
  for (const { key } of [...before, ...all.filter(one => one.atMs > atMs)]) {
    const file = await readWhole(store, key, MAX_BYTES, signal)
    if (file !== undefined) yield { key, topics: await decode(key, file) }
  }
}

async function decode(key: string, file: Buffer): Promise<TopicDefinition[]> {
  try {
    return await topicDefinitions.decode(file)
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause
    throw new MaxbrodError('OBJECT_CORRUPT', `${key}: ${cause.message}`, { key, cause })
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
