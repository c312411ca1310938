import { DecodeError } from '../format/batch/varint.ts'
import { plainFacts } from '../format/facts.ts'
import { topicsKey } from '../format/system-keys.ts'
import { topicDefinitions } from '../format/snapshot/topic-definitions.ts'
import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { bodyOf } from './object-body.ts'
import { readWhole } from './read-whole.ts'

const MAX_BYTES = 256 * 1024 * 1024

export interface Definitions {
  readonly key: string
  readonly topics: readonly TopicDefinition[]
}

/** The definitions of one object; undefined when it is gone. Throws OBJECT_CORRUPT. */
export async function readDefinitions(
  store: ObjectStore,
  key: string,
  signal?: AbortSignal,
): Promise<readonly TopicDefinition[] | undefined> {
  const file = await readWhole(store, key, MAX_BYTES, signal)
  return file === undefined ? undefined : decode(key, file)
}

async function decode(key: string, file: Buffer): Promise<TopicDefinition[]> {
  try {
    return await topicDefinitions.decode(file)
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause
    throw new MaxbrodError('OBJECT_CORRUPT', `${key}: ${cause.message}`, { key, cause })
  }
}

/**
 * Writes definitions under the time `atMs`, and returns their key; undefined when it is taken by other definitions: whoever wrote
 * them in the same millisecond did not see these.
 */
export async function writeDefinitions(
  store: ObjectStore,
  topics: readonly TopicDefinition[],
  atMs: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const file = await topicDefinitions.encode(topics.toSorted((a, b) => (a.topic < b.topic ? -1 : 1)))
  const key = topicsKey(atMs)
  const isOurs =
    (await store.put(key, bodyOf(file), plainFacts(file), signal)).created ||
    // By an attempt of our own whose answer was lost.
    (await readWhole(store, key, MAX_BYTES, signal))?.equals(file) === true
  return isOurs ? key : undefined
}
