import type { TopicFolder } from '../catalog/tile-list.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { auditPartition } from './audit.ts'
import type { AuditedPartition } from './audit.ts'
import { cutHistory } from './cut-history.ts'
import type { PlannerDeps } from './deps.ts'
import type { Generations } from './generations.ts'
import { warningsOf, warningsOfLater } from './lineages.ts'
import type { SurvivingHistory } from './lineages.ts'
import type { PlannerOptions } from './options.ts'
import type { PlanState } from './plan-state.ts'
import { surveyTile } from './survey.ts'
import type { SurveyOptions } from './survey.ts'
import { plannedSource, withCompacted } from './use-compacted.ts'
import { boundsOf, demandedOf } from './window.ts'
import type { Window } from './window.ts'

/** What the audit of every topic needs. */
export interface Sight {
  readonly deps: PlannerDeps
  readonly options: Pick<PlannerOptions, 'useCompacted' | 'maxRecordBytes'>
  readonly survey: SurveyOptions
  readonly generations: Generations
  /** The plan that is gone on with; undefined for a new one. */
  readonly planned: PlanState | undefined
}

/** The partitions of a topic's folder as they are now, and as they were at the point, if one is chosen. */
export interface Histories {
  readonly now: readonly SurvivingHistory[]
  readonly found: readonly SurvivingHistory[]
}

export interface UsedGeneration {
  /** As users write it: orders-3. */
  readonly partition: string
  readonly generation: string
}

export interface TopicAudit {
  readonly partitions: readonly AuditedPartition[]
  /** Of the backup: that of the first file which says it. */
  readonly clusterId: string | undefined
  readonly compacted: readonly UsedGeneration[]
  readonly warnings: readonly string[]
}

/** Cuts the partitions of a topic as they are wanted, and proves that what is left tiles. */
export async function auditTopic(
  { deps, options, survey, generations, planned }: Sight,
  folder: TopicFolder,
  { now, found }: Histories,
  window: Window,
  knownClusterId: string | undefined,
): Promise<TopicAudit> {
  const tiles = found.flatMap(history => history.tiles)
  const clusterId = knownClusterId ?? tiles.find(tile => tile.clusterId !== undefined)?.clusterId
  const topicId = folder.topicId ?? tiles.find(tile => tile.topicId !== undefined)?.topicId
  const histories = withDemanded(found, folder, window)
  const warnings = [...histories.flatMap(warningsOf), ...now.flatMap((one, n) => warningsOfLater(one, found[n]))]
  const compacted: UsedGeneration[] = []
  const partitions: AuditedPartition[] = []
  // One after the other: each may hold blocks in memory.
  for (const history of histories) {
    const { place, sealed = [], begin } = history
    const bounds = boundsOf(window, place)
    const latest = options.useCompacted
      ? await generations.compacted(place, one => surveyTile(deps, one, new Map(), survey))
      : []
    const source = { topic: place.topic, partition: place.partition, topicId }
    const all = withCompacted(history, latest, bounds, plannedSource(planned, source, folder.topicId))
    warnings.push(...all.warnings)
    if (all.generation !== undefined) compacted.push({ partition: partitionName(place), generation: all.generation })
    const wanted = await cutHistory(deps, all.tiles, bounds, survey)
    const audited = auditPartition(
      { place, tiles: wanted, sealed, ...(begin !== undefined && { begin }) },
      { clusterId, topicId },
      bounds,
    )
    partitions.push(await withCompactedHead(generations, audited))
  }
  return { partitions, clusterId, compacted, warnings }
}

/** Where only the latest record per key is left of the first offsets, leaving them out is no small thing. */
async function withCompactedHead(generations: Generations, audited: AuditedPartition): Promise<AuditedPartition> {
  const { missingHead: head, place, holes } = audited
  const compactedHead = head === undefined ? undefined : await generations.compactedOver(place, head)
  if (head === undefined || compactedHead === undefined) return audited
  return { ...audited, holes: [head, ...holes], missingHead: undefined, compactedHead }
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
