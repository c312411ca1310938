import { backupNotFound } from '../../catalog/backup-not-found.ts'
import { readFirstIncarnation } from '../../catalog/incarnation.ts'
import type { Prunes } from '../../catalog/prunes.ts'
import type { RestorationPoint } from '../../catalog/restoration-points.ts'
import { listPartitions, listTiles, listTopicFolders } from '../../catalog/tile-list.ts'
import type { ListedTile, TopicFolder } from '../../catalog/tile-list.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { estimatedTotal } from '../../observe/progress.ts'
import type { Logger } from '../../observe/logger.ts'
import { newLimit } from '../../runtime/limit.ts'
import type { ArchiveDeps } from '../deps.ts'
import { definitionsOf } from './definitions.ts'
import type { Incarnation } from './definitions.ts'
import { judgeHistory } from './history.ts'
import type { JudgedPartition, ListedChain } from './history.ts'
import { filesBefore } from './generations.ts'
import type { ReadGeneration } from './generations.ts'
import type { PruneOptions } from './options.ts'
import { neededOf } from './points.ts'
import { limitsOf } from './rules.ts'
import type { KeepRules, TopicRule } from './rules.ts'
import { isSelected, problemOf } from '../survey.ts'

/** One incarnation of a topic, and what of it may go. */
export interface JudgedTopic {
  readonly folder: TopicFolder
  /** Of the incarnation; undefined when nothing says it. */
  readonly topicId: string | undefined
  readonly isSelected: boolean
  readonly rule: TopicRule
  readonly partitions: readonly (JudgedPartition & { readonly partition: number })[]
  /** Files that were given up before and are still there, in the order of their chains. */
  readonly leftovers: readonly ListedTile[]
}

export interface Judging {
  readonly nowMs: number
  /** Restoration points whose offsets stay. */
  readonly points: readonly RestorationPoint[]
  readonly prunes: Prunes
  /** What lies beside the originals. */
  readonly generations: readonly ReadGeneration[]
}

/** Partitions that are looked at together. */
const PARTITIONS = 8

/** A topic's folder and the rule that holds for it. */
export type RuledTopic = Pick<JudgedTopic, 'folder' | 'topicId' | 'isSelected' | 'rule'>

/** All topics of the archive with their rules, also those that nothing may be taken of. Throws BACKUP_NOT_FOUND. */
export async function ruleTopics(
  { store, nearbyArchives, log }: Pick<ArchiveDeps, 'store' | 'nearbyArchives'> & { readonly log: Logger },
  options: PruneOptions,
  rules: KeepRules,
  signal: AbortSignal,
): Promise<RuledTopic[]> {
  const folders: TopicFolder[] = []
  for await (const folder of listTopicFolders(store, { onForeign: () => undefined, signal })) folders.push(folder)
  const names = [...new Set(folders.map(({ topic }) => topic))]
  if (!names.some(name => isSelected(name, options))) throw await backupNotFound(store, names, nearbyArchives)
  const incarnations: Incarnation[] = []
  for (const folder of folders) incarnations.push({ folder, topicId: await idOf(store, folder, signal) })
  const definitions = await definitionsOf(store, incarnations, signal)
  const ruled = incarnations.map(one => {
    const { topic } = one.folder
    const isAsked = isSelected(topic, options)
    const rule = limitsOf(rules(topic), definitions.get(one))
    return { ...one, isSelected: isAsked, rule: isAsked ? rule : { keepsAll: 'it is not among --topics' } }
  })
  const unknown = ruled.filter(
    ({ rule }, n) => !('keepsAll' in rule) && !definitions.has(incarnations[n] as Incarnation),
  )
  if (unknown.length > 0)
    log.warn(
      { topics: unknown.map(({ folder }) => folder.name) },
      'no definition of these topics was saved: if they are compacted, old records go that may be the last of their keys',
    )
  return ruled
}

/** Looks at all topics for files that may go. */
export async function judgeTopics(
  { store, progress }: Pick<ArchiveDeps, 'store' | 'progress'>,
  topics: readonly RuledTopic[],
  judging: Judging,
  signal: AbortSignal,
): Promise<JudgedTopic[]> {
  using task = progress.task('looking for old files', { unit: 'files', total: undefined })
  const judged: JudgedTopic[] = []
  let looked = 0
  const onFiles = (files: number) => {
    task.add(files)
    looked += files
  }
  for (const topic of topics) {
    judged.push(await judgeTopic(store, topic, judging, onFiles, signal))
    task.setTotal(estimatedTotal(looked, judged.length, topics.length))
  }
  return judged
}

async function judgeTopic(
  store: ObjectStore,
  topic: RuledTopic,
  { nowMs, points, prunes, generations }: Judging,
  onFiles: (files: number) => void,
  signal: AbortSignal,
): Promise<JudgedTopic> {
  const { folder, topicId, rule } = topic
  const needed = neededOf(points, topicId)
  const leftovers: ListedTile[] = []
  const histories = new Map<number, ListedChain[]>()
  for (const place of await listPartitions(store, folder, { onForeign: () => undefined, signal })) {
    const files: ListedTile[] = []
    for await (const tile of listTiles(store, place, 0, { onForeign: () => undefined, signal }))
      (prunes.isPruned(tile.place) ? leftovers : files).push(tile)
    onFiles(files.length)
    const first = files[0]?.place.from ?? 0
    const before = filesBefore(generations, place, { begin: prunes.beginOf(place), first })
    const chain = { place, files: [...before.files, ...files], told: before.told }
    histories.set(place.partition, [...(histories.get(place.partition) ?? []), chain])
  }
  const storedMs = [...histories.values()].flat().flatMap(({ files }) => files.map(({ modifiedAtMs }) => modifiedAtMs))
  const lastMs = storedMs.reduce((last, one) => Math.max(last, one), 0)
  const isOver = topicId !== undefined && isReplaced(points, { topic: folder.topic, topicId, lastMs })
  const limit = newLimit(PARTITIONS)
  const partitions = await Promise.all(
    [...histories].map(([partition, chains]) =>
      limit(async () => {
        const facts = { nowMs, needed: needed(folder.topic, partition), isOver }
        const found =
          'keepsAll' in rule ? keepAll(chains, rule.keepsAll) : await judgeHistory(store, chains, rule, facts, signal)
        return { partition, ...found }
      }),
    ),
  )
  return { ...topic, partitions, leftovers }
}

function keepAll(chains: readonly ListedChain[], why: string): JudgedPartition {
  const files = chains.flatMap(chain => chain.files)
  const [first] = files
  if (first === undefined) return { old: [], kept: undefined }
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0)
  return { old: [], kept: { files: files.length, bytes, from: first.place.from, why } }
}

async function idOf(
  store: ObjectStore,
  { topic, topicId }: TopicFolder,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (topicId !== undefined) return topicId
  try {
    return await readFirstIncarnation(store, topic, signal)
  } catch (error) {
    if (problemOf(error) === undefined) throw error
    return undefined
  }
}

/**
 * Kafka has another topic of that name: nobody writes to the files of this one any more. One that is not seen may only be hidden,
 * and points from before its last file may be of a time when it was not there yet.
 */
function isReplaced(
  points: readonly RestorationPoint[],
  { topic, topicId, lastMs }: { readonly topic: string; readonly topicId: string; readonly lastMs: number },
): boolean {
  const ids = points.flatMap(({ partitions }) => partitions).flatMap(one => (one.topic === topic ? [one.topic_id] : []))
  const isSeenSince = points.some(({ atMs }) => atMs >= lastMs)
  return isSeenSince && ids.length > 0 && ids.every(id => id !== null && id !== topicId)
}
