import { findArchive } from '../catalog/archive.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { readPrunes } from '../catalog/prunes.ts'
import type { TopicFolder } from '../catalog/tile-list.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { auditPartition, findingsOf } from './audit.ts'
import type { AuditedPartition } from './audit.ts'
import { choosePoint, historiesAt } from './choose-point.ts'
import { cutHistory } from './cut-history.ts'
import type { PlannerContext } from './deps.ts'
import { Generations } from './generations.ts'
import { joinLineages, warningsOf, warningsOfLater } from './lineages.ts'
import type { SurvivingHistory } from './lineages.ts'
import { largeLast } from './order.ts'
import type { PlannerOptions } from './options.ts'
import type { PlanState } from './plan-state.ts'
import { selectTopics } from './select-topics.ts'
import { surveyFolders, surveyTile, surveyTopic } from './survey.ts'
import { plannedSource, withCompacted } from './use-compacted.ts'
import { boundsOf, checkWindow, demandedOf } from './window.ts'
import type { Window } from './window.ts'

/** The selected part of a backup, proved to be whole. */
export interface LookedAt {
  /** Undefined for a backup that does not name its cluster. */
  readonly clusterId: string | undefined
  readonly topics: readonly AuditedTopic[]
  /** What all topics are cut by, if they are. */
  readonly point: RestorationPoint | undefined
  /** What was asked for, or what the point makes of it. */
  readonly window: Window
  /** Partitions that are restored from what was compacted. */
  readonly compacted: readonly UsedGeneration[]
  readonly foreignKeys: readonly string[]
  /** Encrypted files. */
  readonly sealedKeys: readonly string[]
  readonly warnings: readonly string[]
}

export interface UsedGeneration {
  /** As users write it: orders-3. */
  readonly partition: string
  readonly generation: string
}

export interface AuditedTopic {
  readonly folder: TopicFolder
  readonly partitions: readonly AuditedPartition[]
}

/** Foreign keys that are named; the others are counted. */
const NAMED_KEYS = 20

/**
 * Lists the selected topics, reads the header of every file, and proves that the files of each partition tile its history.
 * Throws BACKUP_NOT_FOUND, FOREIGN_CLUSTER, INCARNATIONS, and TILING_HOLE for holes that were not accepted by name.
 */
export async function lookAtBackup(
  deps: PlannerContext,
  options: PlannerOptions,
  asked: Window,
  planned: PlanState | undefined,
  signal: AbortSignal,
): Promise<LookedAt> {
  const archive = await findArchive(deps.store, signal)
  const foreignKeys: string[] = []
  const onForeign = (key: string) => void foreignKeys.push(key)
  const plainKeys: string[] = []
  const onUnencrypted = (key: string) => void plainKeys.push(key)
  using task = deps.progress.task('reading headers', { unit: 'files', total: undefined })
  const prunes = await readPrunes(deps.store, signal)
  const generations = await Generations.list(deps, () => undefined, signal)
  const survey = {
    maxRecordBytes: options.maxRecordBytes,
    prunes,
    generations,
    onForeign,
    onUnencrypted,
    onTile: () => task.add(1),
    signal,
  }
  const folders = await surveyFolders(deps, survey)
  const surveyed = new Map<string, readonly SurvivingHistory[]>()
  const historiesOf = async (folder: TopicFolder) => {
    const known = surveyed.get(folder.name) ?? joinLineages((await surveyTopic(deps, folder, survey)).partitions)
    surveyed.set(folder.name, known)
    return known
  }
  const { at } = options
  const chosen =
    at === undefined ? undefined : await choosePoint(deps, { ...options, at }, folders, historiesOf, signal)
  const selected = chosen?.folders ?? (await selectTopics(deps, folders, options, signal))
  const window = chosen?.window ?? asked
  checkWindow(
    asked,
    selected.map(({ topic }) => topic),
  )
  const scanning = { maxRecordBytes: options.maxRecordBytes, signal }
  const topics: AuditedTopic[] = []
  const cutWarnings: string[] = []
  const compacted: UsedGeneration[] = []
  let clusterId = archive?.clusterId
  for (const folder of selected) {
    const now = await historiesOf(folder)
    const found = historiesThen(now, folder, chosen?.point)
    surveyed.delete(folder.name) // a large backup fills the memory only once
    if (found.length === 0) continue // foreign objects only, which are told
    const tiles = found.flatMap(history => history.tiles)
    clusterId ??= tiles.find(tile => tile.clusterId !== undefined)?.clusterId
    const topicId = folder.topicId ?? tiles.find(tile => tile.topicId !== undefined)?.topicId
    const histories = withDemanded(found, folder, window)
    cutWarnings.push(...histories.flatMap(warningsOf), ...now.flatMap((one, n) => warningsOfLater(one, found[n])))
    const audited: AuditedPartition[] = []
    // One after the other: each may hold blocks in memory.
    for (const history of histories) {
      const { place, sealed = [], begin } = history
      const bounds = boundsOf(window, place)
      const latest = options.useCompacted
        ? await generations.compacted(place, one => surveyTile(deps, one, new Map(), survey))
        : []
      const source = { topic: place.topic, partition: place.partition, topicId }
      const all = withCompacted(history, latest, bounds, plannedSource(planned, source, folder.topicId))
      cutWarnings.push(...all.warnings)
      if (all.generation !== undefined) compacted.push({ partition: partitionName(place), generation: all.generation })
      const wanted = await cutHistory(deps, all.tiles, bounds, scanning)
      audited.push(
        auditPartition(
          { place, tiles: wanted, sealed, ...(begin !== undefined && { begin }) },
          { clusterId, topicId },
          bounds,
        ),
      )
    }
    topics.push({ folder, partitions: audited })
  }
  if (plainKeys.length > 0) {
    const what = `${plainKeys.length} files are not encrypted, and --require-encryption is set: ${named(plainKeys)}`
    throw new MaxbrodError('NOT_ENCRYPTED', what, {
      keys: plainKeys,
      hint: 'find out who wrote them; files from before encryption was turned on are read without --require-encryption',
    })
  }
  if (topics.length === 0) {
    throw new MaxbrodError('BACKUP_NOT_FOUND', `the selected topics have no files in ${deps.store.url}`, {
      hint: 'check --topics',
    })
  }
  const unread = prunes.damaged.map(({ message }) => `passed over: ${message}`)
  const warnings = [
    ...unread,
    ...generations.warnings,
    ...(chosen?.warnings ?? []),
    ...judge(topics, options),
    ...cutWarnings,
  ]
  const sealedKeys = topics.flatMap(({ partitions }) =>
    partitions.flatMap(({ sealed = [] }) => sealed.map(one => one.key)),
  )
  if (foreignKeys.length > 0)
    warnings.push(`${foreignKeys.length} objects are no backup files and were left out: ${named(foreignKeys)}`)
  if (sealedKeys.length > 0)
    warnings.push(`${sealedKeys.length} files are encrypted, without a key, and were left out: ${named(sealedKeys)}`)
  if (options.strict && warnings.length > 0) {
    throw new MaxbrodError('TILING_HOLE', warnings.join('; '), { hint: 'without --strict these are warnings' })
  }
  const ordered = largeLast(topics, options.processLargeTopicsLast, ({ folder }) => folder.topic, bytesOf)
  return { clusterId, topics: ordered, point: chosen?.point, window, compacted, foreignKeys, sealedKeys, warnings }
}

/** What the partitions of a topic held at the point, if one is chosen. */
function historiesThen(
  all: readonly SurvivingHistory[],
  { topic: name }: TopicFolder,
  point: RestorationPoint | undefined,
): readonly SurvivingHistory[] {
  if (point === undefined) return all
  return historiesAt(
    all,
    point.partitions.filter(({ topic }) => topic === name),
    point.atMs,
  )
}

function named(keys: readonly string[]): string {
  return keys.slice(0, NAMED_KEYS).join(', ') + (keys.length > NAMED_KEYS ? ', …' : '')
}

function bytesOf({ partitions }: AuditedTopic): number {
  return partitions.flatMap(({ tiles }) => tiles).reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Partitions without a file that must have records, as somebody says: all of them are missing. */
function withDemanded(
  histories: readonly SurvivingHistory[],
  { topic, topicId }: TopicFolder,
  window: Window,
): SurvivingHistory[] {
  const lacking = demandedOf(window, topic).filter(one => !histories.some(({ place }) => place.partition === one))
  const empty = (partition: number) => ({
    place: { topic, topicId, partition, lineage: undefined },
    tiles: [],
    cuts: [],
  })
  return [...histories, ...lacking.map(empty)]
}

/** Refuses what must not be restored by mistake; returns what is only worth a warning. */
function judge(topics: readonly AuditedTopic[], { acceptGaps }: PlannerOptions): string[] {
  const partitions = topics.flatMap(topic => topic.partitions)
  for (const { place, foreign } of partitions) {
    const [first] = foreign
    if (first !== undefined)
      throw new MaxbrodError('FOREIGN_CLUSTER', `${first.key} ${first.reason}`, {
        topic: place.topic,
        partition: place.partition,
        hint: 'use another prefix for each cluster; move the foreign files away',
      })
  }
  const accepted = new Set(acceptGaps)
  const refused = partitions.filter(
    ({ place, holes, overlaps }) => overlaps.length > 0 || (holes.length > 0 && !accepted.has(partitionName(place))),
  )
  if (refused.length > 0) {
    const lines = refused.flatMap(findingsOf)
    const isSealed = refused.some(({ sealed = [] }) => sealed.length > 0)
    const withKeys = isSealed ? 'give the secret keys with --identity, ' : ''
    throw new MaxbrodError('TILING_HOLE', lines.join('; '), {
      holes: refused.flatMap(({ place, holes }) =>
        holes.map(hole => ({ topic: place.topic, partition: place.partition, ...hole })),
      ),
      hint: `${withKeys}restore the missing objects from the bucket’s versions, or accept the loss with ${refused.map(({ place }) => `--accept-gaps ${partitionName(place)}`).join(' ')}`,
    })
  }
  return partitions.flatMap(partition => [
    ...partition.holes.map(
      ({ from, to }) =>
        `${partitionName(partition.place)}: offsets ${from} to ${to - 1} are missing, which was accepted`,
    ),
    ...(partition.missingHead === undefined
      ? []
      : [
          `${partitionName(partition.place)}: offsets ${partition.missingHead.from} to ${partition.missingHead.to - 1} were backed up once and their files are gone`,
        ]),
    ...partition.tiles.flatMap(({ gaps }) =>
      gaps.map(
        gap =>
          `${partitionName(partition.place)}: Kafka ${gap.reason === 'retention' ? 'no longer had' : 'had a corrupt batch at'} offsets ${gap.from} to ${gap.to - 1} when they should have been backed up (${gap.reason})`,
      ),
    ),
  ])
}
