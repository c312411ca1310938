import { readSnapshot, listSnapshots } from '../../catalog/snapshots.ts'
import type { SnapshotKey } from '../../catalog/snapshots.ts'
import type { RestorationPoint } from '../../catalog/restoration-points.ts'
import { groupsPrefix, parseSnapshotKey, topicsPrefix } from '../../format/system-keys.ts'
import { topicDefinitions } from '../../format/snapshot/topic-definitions.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { problemOf } from '../survey.ts'

/** An incarnation that has files left. */
export interface LeftTopic {
  readonly topic: string
  readonly topicId: string | undefined
}

/** Group snapshots from before the one that the oldest point left names: no restore asks for them any more. */
export async function oldGroups(
  store: ObjectStore,
  oldest: RestorationPoint | undefined,
  signal: AbortSignal,
): Promise<readonly SnapshotKey[]> {
  const groupsKey = oldest?.groupsKey
  const fromMs = groupsKey === undefined ? undefined : parseSnapshotKey(groupsPrefix, groupsKey)
  if (fromMs === undefined) return []
  return (await listSnapshots(store, groupsPrefix, 0, signal)).filter(({ atMs }) => atMs < fromMs)
}

/**
 * Definitions from before those that counted at the oldest point left, and before the last ones of every topic that has files:
 * a deleted topic stands only in old ones. None when one that must be asked cannot be read.
 */
export async function oldDefinitions(
  store: ObjectStore,
  oldest: RestorationPoint | undefined,
  topics: readonly LeftTopic[],
  signal: AbortSignal,
): Promise<readonly SnapshotKey[]> {
  const all = await listSnapshots(store, topicsPrefix, 0, signal)
  const missing = new Set(topics)
  for (let at = all.length - 1; at > 0; at--) {
    const found = all[at]
    if (found === undefined) break
    const known = await topicsIn(store, found.key, signal)
    if (known === undefined) return []
    for (const topic of missing) {
      const { topic: name, topicId } = topic
      if (known.some(one => one.topic === name && isSame(one.topic_id, topicId))) missing.delete(topic)
    }
    const isOldEnough = oldest === undefined || found.atMs <= oldest.atMs
    if (missing.size === 0 && isOldEnough) return all.slice(0, at)
  }
  return []
}

function isSame(id: string | null, topicId: string | undefined): boolean {
  return id === null || topicId === undefined || id === topicId
}

async function topicsIn(store: ObjectStore, key: string, signal: AbortSignal) {
  try {
    return await readSnapshot(store, key, topicDefinitions.decode, signal)
  } catch (error) {
    if (problemOf(error) === undefined) throw error
    return undefined
  }
}
