import { readPrunesAndThose, writePrune } from '../../catalog/prunes.ts'
import type { Prunes } from '../../catalog/prunes.ts'
import type { SnapshotKey } from '../../catalog/snapshots.ts'
import type { ListedTile } from '../../catalog/tile-list.ts'
import { partitionFolder } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Disk } from '../../runtime/disk.ts'
import type { ErasableStore } from '../../storage/port.ts'
import type { ArchiveDeps } from '../deps.ts'
import { deleteDoomed, keysOf } from './delete.ts'
import type { Deleted, Doomed } from './delete.ts'
import type { PruneOptions } from './options.ts'
import { historyFromOf, readPoints } from './points.ts'
import { readKeepRules } from './rules.ts'
import { isVoid, oldGenerations, readGenerations, stillUnfinished } from './generations.ts'
import { oldObjects } from './objects.ts'
import { findSuperseded, requireStanding } from './superseded.ts'
import type { Superseded } from './replaced-by.ts'
import { judgeTopics, ruleTopics } from './topics.ts'
import type { JudgedTopic } from './topics.ts'

export interface PruneDeps extends ArchiveDeps {
  readonly store: ErasableStore
  readonly disk: Pick<Disk, 'read'>
  readonly log: Logger
  readonly writer: string
}

/** What a prune gave up and deleted, or would. */
export interface Pruned {
  readonly topics: readonly JudgedTopic[]
  readonly points: readonly SnapshotKey[]
  readonly groups: readonly SnapshotKey[]
  readonly definitions: readonly SnapshotKey[]
  readonly reports: readonly SnapshotKey[]
  /** Files that were made of others which are given up, or that nobody finished: one queue for each generation. */
  readonly generations: readonly Doomed[]
  /** Files that lost a conflict, and are as old as what their topic keeps. */
  readonly conflicts: readonly { readonly key: string }[]
  /** What generations have taken the place of. */
  readonly superseded: readonly Superseded[]
  /** Files that an earlier run gave up and did not delete. */
  readonly leftovers: number
  /** Of these and the others, so many wait for the end of --grace. */
  readonly waiting: number
  /** How many points say what Kafka had: without one, only the rules count. */
  readonly pointsKept: number
  /** Key of the record; undefined when nothing new is given up, and in a dry run. */
  readonly record: string | undefined
  /** Undefined in a dry run. */
  readonly deletion: Deleted | undefined
}

/**
 * Takes the oldest files of each partition out of an archive, and what only they needed. First a record says what is given
 * up, then it is deleted: killed at any moment, what is left is a sound archive that begins later, and the next run deletes
 * the rest. Several prunes at once do no harm. Throws BACKUP_NOT_FOUND, USAGE.
 */
export async function pruneArchive(deps: PruneDeps, options: PruneOptions, signal: AbortSignal): Promise<Pruned> {
  const { store, clock, log, progress } = deps
  const nowMs = clock.now()
  const dueMs = options.grace > 0 ? nowMs - options.grace : Infinity
  const { all: before, until: dueBefore } = await readPrunesAndThose(dueMs, store, signal)
  for (const { message } of before.damaged) log.warn(`passed over: ${message}`)
  const points = await readPoints(store, options.keepPoints, nowMs, signal)
  for (const { message } of points.damaged) log.warn(`passed over: ${message}`)
  const ruled = await ruleTopics(deps, options, await readKeepRules(deps.disk, options), signal)
  const beside = await readGenerations(store, signal)
  const judging = { nowMs, points: points.kept, prunes: before, generations: beside }
  const topics = await judgeTopics(deps, ruled, judging, signal)
  const old = await oldObjects(store, topics, points, nowMs, signal)
  const beginOf = beginsAfter(topics, before)
  const generations = oldGenerations(beside, beginOf, nowMs)
  const superseding = async () => {
    using proving = progress.task('reading what stands for others', { unit: 'bytes', total: undefined })
    const how = {
      beginOf,
      historyFrom: ({ folder: { topic }, topicId }: JudgedTopic, partition: number) =>
        historyFromOf(points.kept, topicId)(topic, partition),
      byCompacted: options.supersededByCompacted,
      isProving: options.yes,
      onBytes: (bytes: number) => proving.add(bytes),
    }
    const standing = beside.filter(one => !isVoid(one, before))
    return await findSuperseded(store, topics, standing, how, signal)
  }
  const superseded = options.superseded ? await superseding() : []
  const replaced = superseded.map(({ files }): Doomed => ({ keys: files.map(({ key }) => key) }))
  const objects = [...old.points, ...old.groups, ...old.definitions, ...old.reports, ...old.conflicts]
    .map(({ key }) => key)
    .concat(...[...generations, ...replaced, ...superseded.flatMap(one => one.generations)].map(keysOf))
  const ranges = topics.flatMap(({ partitions }) => partitions.flatMap(one => one.old.map(({ range }) => range)))
  const planned = {
    topics,
    ...old,
    generations,
    superseded,
    leftovers: topics.reduce((sum, one) => sum + one.leftovers.length, 0),
    pointsKept: points.kept.length,
  }
  if (!options.yes) return { ...planned, waiting: 0, record: undefined, deletion: undefined }
  const newObjects = objects.filter(key => !before.hasRemoved(key))
  const given = { writer: deps.writer, partitions: ranges, objects: newObjects }
  const record = ranges.length + newObjects.length > 0 ? await writePrune(store, given, nowMs, signal) : undefined
  if (record !== undefined) log.info({ key: record.key }, 'wrote down what is given up')
  // In this order, behind the record: of two prunes at once, one of them sees what the other is about to do.
  const unfinished = await stillUnfinished(store, generations, signal)
  await requireStanding(store, superseded, record, signal)
  // What this run has given up is due at once only without a time of grace.
  const due = record === undefined || options.grace > 0 ? dueBefore : dueBefore.and(record)
  const snapshots = [old.points, old.groups, old.definitions, old.reports, old.conflicts].map(keys => ({
    keys: keys.map(({ key }) => key),
  }))
  const queues: Doomed[] = [...topics.flatMap(chainsOf), ...snapshots, ...unfinished, ...replaced]
  const finished = new Set(generations.filter(one => !unfinished.includes(one)).flatMap(keysOf))
  const keys = new Set(objects.filter(key => due.hasRemoved(key) && !finished.has(key)))
  for (const { place, key } of topics.flatMap(filesGivenUp)) if (due.isPruned(place)) keys.add(key)
  const dueOf = (queue: Doomed) => ({
    first: queue.first !== undefined && keys.has(queue.first) ? queue.first : undefined,
    keys: queue.keys.filter(key => keys.has(key)),
  })
  using task = progress.task('deleting', { unit: 'files', total: keys.size })
  const deletion = await deleteDoomed(store, queues.map(dueOf), task, signal)
  // They say what the originals were made into: as long as one of these is there, they are needed.
  const rest = superseded.filter(({ files }) => files.every(({ key }) => keys.has(key) && !isRefused(key, deletion)))
  const outdated = rest.flatMap(one => one.generations).map(dueOf)
  const deleted = sumOf(deletion, await deleteDoomed(store, outdated, task, signal))
  const waiting = [...queues, ...superseded.flatMap(one => one.generations)].flatMap(keysOf).length - keys.size
  return { ...planned, waiting, record: record?.key, deletion: deleted }
}

function isRefused(key: string, { refused }: Deleted): boolean {
  return refused.some(one => one.key === key)
}

function sumOf(one: Deleted, other: Deleted): Deleted {
  return {
    deleted: one.deleted + other.deleted,
    refused: [...one.refused, ...other.refused],
    left: one.left + other.left,
  }
}

/** Where each chain begins once this prune is written down. */
function beginsAfter(topics: readonly JudgedTopic[], before: Prunes): (place: PartitionPlace) => number {
  const ranges = topics.flatMap(({ partitions }) => partitions.flatMap(({ old }) => old.map(({ range }) => range)))
  const begins = new Map(ranges.map(({ place, to }) => [partitionFolder(place), to]))
  return place => begins.get(partitionFolder(place)) ?? before.beginOf(place)
}

function filesGivenUp({ leftovers, partitions }: JudgedTopic): ListedTile[] {
  return [...leftovers, ...partitions.flatMap(({ old }) => old.flatMap(({ files }) => files))]
}

/** Those of one partition and lineage together, the oldest first. */
function chainsOf(topic: JudgedTopic): Doomed[] {
  const byFolder = Map.groupBy(filesGivenUp(topic), ({ place }) => partitionFolder(place))
  return [...byFolder.values()].map(files => ({
    keys: files.toSorted((a, b) => a.place.from - b.place.from).map(({ key }) => key),
  }))
}
