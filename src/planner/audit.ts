import type { TopicFolder } from '../catalog/tile-list.ts'
import { proveTiling } from '../catalog/tiling.ts'
import type { Hole, Overlap } from '../catalog/tiling.ts'
import { partitionFolder } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { unbounded } from './cut-history.ts'
import type { Bounds } from './cut-history.ts'
import type { SealedFile, SurveyedPartition } from './survey.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

/** What the audit of one partition's files found. */
export interface AuditedPartition {
  readonly place: PartitionPlace
  readonly tiles: readonly SurveyedTile[]
  readonly sealed?: readonly SealedFile[]
  readonly holes: readonly Hole[]
  readonly overlaps: readonly Overlap[]
  /** Offsets that were backed up once and whose files are gone, and no prune says so. */
  readonly missingHead: Hole | undefined
  /** The compacted generation that has the latest record per key of what is missing there. */
  readonly compactedHead?: string | undefined
  /** Files that belong to something else than the others. */
  readonly foreign: readonly ForeignTile[]
}

export interface AuditedTopic {
  readonly folder: TopicFolder
  readonly partitions: readonly AuditedPartition[]
}

export interface ForeignTile {
  readonly key: string
  readonly reason: string
}

/** Whose files they must be, as far as anybody knows: those of a topic are of one cluster and one topic id. */
export interface Identity {
  readonly clusterId: string | undefined
  readonly topicId: string | undefined
}

/** Proves that a partition's files tile its history and belong together. Pure. */
export function auditPartition(
  { place, tiles, sealed = [], begin = 0 }: SurveyedPartition,
  identity: Identity,
  bounds: Bounds = unbounded,
): AuditedPartition {
  const { holes, overlaps } = proveTiling(tiles)
  const ends = [missingTail(tiles, bounds), ...sealedEnds(tiles, sealed, bounds)].filter(end => end !== undefined)
  const foreign = tiles.flatMap(tile => {
    const reason = whyForeign(tile, identity)
    return reason === undefined ? [] : [{ key: tile.key, reason }]
  })
  return {
    place,
    tiles,
    sealed,
    holes: [...holes, ...ends],
    overlaps,
    missingHead: missingHead(tiles, begin, bounds),
    foreign,
  }
}

function missingHead([first]: readonly SurveyedTile[], begin: number, { fromOffset = 0 }: Bounds): Hole | undefined {
  const from = Math.max(first?.origin ?? 0, begin, fromOffset)
  return first !== undefined && from < first.from ? { from, to: first.from } : undefined
}

/** Who names an end wants all up to there. */
function missingTail(
  tiles: readonly SurveyedTile[],
  { fromOffset = 0, toOffset = 0, untilMs }: Bounds,
): Hole | undefined {
  const end = tiles.at(-1)?.to ?? fromOffset
  return untilMs === undefined && end < toOffset ? { from: end, to: toOffset } : undefined
}

/** What encrypted files cover before and behind the others; between them it is a hole as any. */
function sealedEnds(
  tiles: readonly SurveyedTile[],
  sealed: readonly SealedFile[],
  { fromOffset = 0, toOffset = Infinity, untilMs }: Bounds,
): Hole[] {
  const wanted = sealed.filter(({ from, to }) => to > fromOffset && from < toOffset)
  if (wanted.length === 0) return []
  const from = wanted.reduce((least, one) => Math.min(least, Math.max(one.from, fromOffset)), Infinity)
  const to = wanted.reduce((most, one) => Math.max(most, Math.min(one.to, toOffset)), 0)
  const [first, last] = [tiles[0], tiles.at(-1)]
  if (first === undefined || last === undefined) return [{ from, to }]
  const isCutByTime = untilMs !== undefined && last.wholeTo !== undefined
  return [
    ...(from < first.from ? [{ from, to: first.from }] : []),
    ...(to > last.to && !isCutByTime ? [{ from: last.to, to }] : []),
  ]
}

function whyForeign(tile: SurveyedTile, { clusterId, topicId }: Identity): string | undefined {
  if (tile.clusterId !== undefined && clusterId !== undefined && tile.clusterId !== clusterId)
    return `is from cluster ${tile.clusterId}, not ${clusterId}`
  if (tile.topicId !== undefined && topicId !== undefined && tile.topicId !== topicId)
    return `is from topic id ${tile.topicId}, not ${topicId}`
  return undefined
}

/** Lines that name what is wrong with a partition, for people. */
export function findingsOf({
  place,
  sealed = [],
  holes,
  overlaps,
  foreign,
  compactedHead,
}: AuditedPartition): string[] {
  const folder = partitionFolder(place)
  return [
    ...sealed.map(({ key }) => `${key} is encrypted, and there is no key for it`),
    ...holes.map(({ from, to }) => `${folder} has no file for offsets ${from} to ${to - 1}`),
    ...(compactedHead === undefined
      ? []
      : [`@${compactedHead} has the latest record of each key of the first of them`]),
    ...overlaps.map(({ first, second, from, to }) => `${first} and ${second} both cover offsets ${from} to ${to - 1}`),
    ...foreign.map(({ key, reason }) => `${key} ${reason}`),
  ]
}
