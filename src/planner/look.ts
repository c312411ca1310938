import { findArchive } from '../catalog/archive.ts'
import type { RestorationPoint } from '../catalog/restoration-points.ts'
import { readPrunes } from '../catalog/prunes.ts'
import type { TopicFolder } from '../catalog/tile-list.ts'
import { estimatedTotal } from '../observe/progress.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { auditTopic } from './audit-topic.ts'
import type { Sight, UsedGeneration } from './audit-topic.ts'
import type { AuditedTopic } from './audit.ts'
import { choosePoint, historiesAt } from './choose-point.ts'
import type { PlannerContext } from './deps.ts'
import { Generations } from './generations.ts'
import { judgeFindings } from './judge-findings.ts'
import { joinLineages } from './lineages.ts'
import type { SurvivingHistory } from './lineages.ts'
import type { LeftOut } from './left-out.ts'
import { largeLast } from './order.ts'
import type { PlannerOptions } from './options.ts'
import type { PlanState } from './plan-state.ts'
import { selectTopics } from './select-topics.ts'
import { surveyFolders, surveyTopic } from './survey.ts'
import { checkWindow } from './window.ts'
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
  leftOut: LeftOut,
  signal: AbortSignal,
): Promise<LookedAt> {
  const archive = await findArchive(deps.store, signal)
  const foreignKeys: string[] = []
  const onForeign = (key: string) => void foreignKeys.push(key)
  const plainKeys: string[] = []
  const onUnencrypted = (key: string) => void plainKeys.push(key)
  let read = 0
  using task = deps.progress.task('reading headers', { unit: 'files', total: undefined })
  const prunes = await readPrunes(deps.store, signal)
  const generations = await Generations.list(deps, () => undefined, signal)
  const survey = {
    maxRecordBytes: options.maxRecordBytes,
    prunes,
    generations,
    onForeign,
    onUnencrypted,
    onTile() {
      task.add(1)
      read++
    },
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
  const sight: Sight = { deps, options, survey, generations, planned }
  const audited: AuditedTopic[] = []
  const cutWarnings: string[] = []
  const compacted: UsedGeneration[] = []
  let clusterId = archive?.clusterId
  for (const [index, folder] of selected.entries()) {
    const now = await leftOut.unless(folder.topic, () => historiesOf(folder))
    task.setTotal(estimatedTotal(read, index + 1, selected.length))
    if (now === undefined) continue
    const found = historiesThen(now, folder, chosen?.point)
    surveyed.delete(folder.name) // a large backup fills the memory only once
    if (found.length === 0) continue // foreign objects only, which are told
    const audit = () => auditTopic(sight, folder, { found, now }, window, clusterId)
    const one = await leftOut.unless(folder.topic, audit)
    if (one === undefined) continue
    clusterId = one.clusterId
    cutWarnings.push(...one.warnings)
    compacted.push(...one.compacted)
    audited.push({ folder, partitions: one.partitions })
  }
  const topics = await leftOut.whole(audited, options)
  if (plainKeys.length > 0) {
    const what = `${plainKeys.length} files are not encrypted, and --require-encryption is set: ${named(plainKeys)}`
    throw new MaxbrodError('NOT_ENCRYPTED', what, {
      keys: plainKeys,
      hint: 'find out who wrote them; files from before encryption was turned on are read without --require-encryption',
    })
  }
  if (topics.length === 0) {
    leftOut.rethrow()
    throw new MaxbrodError('BACKUP_NOT_FOUND', `the selected topics have no files in ${deps.store.url}`, {
      hint: 'check --topics',
    })
  }
  const unread = prunes.damaged.map(({ message }) => `passed over: ${message}`)
  const warnings = [
    ...unread,
    ...generations.warnings,
    ...(chosen?.warnings ?? []),
    ...judgeFindings(
      topics.flatMap(topic => topic.partitions),
      options,
    ),
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
