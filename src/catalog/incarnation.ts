import { plainFacts } from '../format/facts.ts'
import { firstIncarnationKey } from '../format/system-keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { bodyOf } from './object-body.ts'
import { readWhole } from './read-whole.ts'

const MAX_BYTES = 4 * 1024
/** A key that is taken and then missing, again and again: stores with weak listings settle within a few tries. */
const MAX_TRIES = 5

/**
 * The folder that a topic's files go to: its plain name for the first incarnation ever backed up, else name and topic id.
 * `@topics/first/<topic>.json` decides which one was first; it is created here when nobody has yet. Returns the id for the
 * folder's name, undefined for the plain one. Brokers without topic ids always get the plain folder. Throws OBJECT_CORRUPT, and
 * OBJECT_MISSING when the store cannot say whose it is.
 */
export async function claimTopicFolder(
  store: ObjectStore,
  topic: string,
  topicId: string | undefined,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (topicId === undefined) return undefined
  const content = Buffer.from(`${JSON.stringify({ topicId })}\n`)
  const key = firstIncarnationKey(topic)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if ((await store.put(key, bodyOf(content), plainFacts(content), signal)).created) return undefined
    const owner = await readFirstIncarnation(store, topic, signal)
    if (owner !== undefined) return owner === topicId ? undefined : topicId
  }
  // Taken for another's, it would get a second folder, and neither would hold all of it.
  throw new MaxbrodError('OBJECT_MISSING', `${key} exists and does not`, { key, topic, url: store.url })
}

/** The topic id of a topic's first incarnation, or undefined when nothing says so. Throws OBJECT_CORRUPT. */
export async function readFirstIncarnation(
  store: ObjectStore,
  topic: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const key = firstIncarnationKey(topic)
  const content = await readWhole(store, key, MAX_BYTES, signal)
  if (content === undefined) return undefined
  const topicId = parseFirstIncarnation(content)
  if (topicId !== undefined) return topicId
  throw new MaxbrodError('OBJECT_CORRUPT', `${key} does not name a topic id`, {
    key,
    topic,
    hint: 'put back the original object',
  })
}

/** The topic id that such an object names, or undefined when it names none. */
export function parseFirstIncarnation(content: Buffer): string | undefined {
  try {
    const { topicId } = JSON.parse(content.toString()) as { topicId?: unknown }
    return typeof topicId === 'string' ? topicId : undefined
  } catch {
    return undefined
  }
}
