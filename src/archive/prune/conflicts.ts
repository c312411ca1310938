import { tileFactsFromMap } from '../../format/facts.ts'
import { conflictsPrefix } from '../../format/system-keys.ts'
import type { ListedObject, ObjectStore } from '../../storage/port.ts'
import { longestKeep } from './rules.ts'
import type { JudgedTopic } from './topics.ts'

/**
 * Files that lost a conflict and were stored longer ago than files of their topic are kept: as long as their records would have been
 * in the backup, somebody can look at them. Those that do not say whose they are stay as long as the topic that is kept longest.
 */
export async function oldConflicts(
  store: ObjectStore,
  topics: readonly JudgedTopic[],
  nowMs: number,
  signal: AbortSignal,
): Promise<ListedObject[]> {
  const old: ListedObject[] = []
  const longestMs = longestKeep(topics)
  for await (const object of store.list(conflictsPrefix, { signal })) {
    const facts = tileFactsFromMap((await store.head(object.key, signal))?.facts ?? {})
    const own = topics.filter(
      ({ topicId, folder: { topic } }) =>
        (topicId !== undefined && topicId === facts?.topicId) || topic === facts?.sealed?.topic,
    )
    const keepMs = own.length === 0 ? longestMs : longestKeep(own)
    if (keepMs !== undefined && nowMs - object.modifiedAtMs > keepMs) old.push(object)
  }
  return old
}
