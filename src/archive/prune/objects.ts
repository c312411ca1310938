import type { RestorationPoint } from '../../catalog/restoration-points.ts'
import { readPoint } from '../../catalog/restoration-points.ts'
import type { SnapshotKey } from '../../catalog/snapshots.ts'
import type { PointPartition } from '../../format/snapshot/restoration-point.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { oldPoints } from './points.ts'
import type { ReadPoints } from './points.ts'
import { oldDefinitions, oldGroups } from './snapshots.ts'
import { longestKeep } from './rules.ts'
import type { JudgedTopic } from './topics.ts'
import { oldConflicts } from './conflicts.ts'
import { oldReports } from './reports.ts'
import { problemOf } from '../survey.ts'

/** What lies beside the files, and no file needs any more. */
export interface OldObjects {
  readonly points: readonly SnapshotKey[]
  readonly groups: readonly SnapshotKey[]
  readonly definitions: readonly SnapshotKey[]
  readonly reports: readonly SnapshotKey[]
  /** Files that lost a conflict. */
  readonly conflicts: readonly { readonly key: string }[]
}

/** What goes with the files that go. */
export async function oldObjects(
  store: ObjectStore,
  topics: readonly JudgedTopic[],
  points: ReadPoints,
  nowMs: number,
  signal: AbortSignal,
): Promise<OldObjects> {
  const longestMs = longestKeep(topics)
  const keptFromMs = longestMs === undefined ? 0 : nowMs - longestMs
  const old = await oldPoints(store, points, filesOf(topics), keptFromMs, signal)
  const oldest = await oldestLeft(store, points, old.length, signal)
  const left = topics
    .filter(({ partitions }) => partitions.some(({ kept }) => kept !== undefined))
    .map(({ folder: { topic }, topicId }) => ({ topic, topicId }))
  return {
    points: old,
    groups: await oldGroups(store, oldest, signal),
    definitions: await oldDefinitions(store, oldest, left, signal),
    reports: await oldReports(store, Math.max(oldest?.atMs ?? 0, keptFromMs), signal),
    conflicts: await oldConflicts(store, topics, nowMs, signal),
  }
}

/** Whether something of a partition of a point is left. Pure. */
function filesOf(topics: readonly JudgedTopic[]): (partition: PointPartition) => boolean {
  const begins = new Map<string, number>()
  for (const { folder, topicId, partitions } of topics) {
    for (const { partition, kept } of partitions) {
      if (kept === undefined) continue
      const name = nameOf(folder.topic, topicId, partition)
      begins.set(name, Math.min(kept.from, begins.get(name) ?? Infinity))
    }
  }
  return ({ topic, topic_id: id, partition, end }) =>
    [id ?? undefined, undefined].some(one => (begins.get(nameOf(topic, one, partition)) ?? Infinity) < end)
}

function nameOf(topic: string, topicId: string | undefined, partition: number): string {
  return `${topic} ${topicId ?? ''} ${partition}`
}

/** The oldest point that stays and can be read. */
async function oldestLeft(
  store: ObjectStore,
  { all, kept }: ReadPoints,
  old: number,
  signal: AbortSignal,
): Promise<RestorationPoint | undefined> {
  for (const found of all.slice(old)) {
    try {
      return await readPoint(store, found, signal)
    } catch (error) {
      if (problemOf(error) === undefined) throw error
    }
  }
  return kept.at(-1)
}
