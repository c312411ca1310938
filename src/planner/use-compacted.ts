import { parseTileKey } from '../format/keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { Bounds } from './cut-history.ts'
import { narrowed } from './cut-history.ts'
import type { PartitionGeneration } from './generations.ts'
import type { SurvivingHistory } from './lineages.ts'
import { isOfSource } from './plan-state.ts'
import type { PlanState, SourceState } from './plan-state.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

/** The files that a partition is restored from, when a compacted generation may take the place of originals. */
export interface CompactedHistory {
  readonly tiles: readonly SurveyedTile[]
  /** Undefined when there are only originals. */
  readonly generation: string | undefined
  /** For people: why a generation was not used. */
  readonly warnings: readonly string[]
}

/**
 * Takes the generation that reaches furthest, and the originals that continue it, or only originals where none fits. What
 * compaction left out cannot be cut out: a generation is used from its beginning to its end, or not at all. A plan that is
 * begun goes on with the generation that it began with, and never enters another one: a record that says that its key is gone
 * may be missing there. Throws TILING_HOLE where neither generation nor originals have what is wanted. Pure.
 */
export function withCompacted(
  history: SurvivingHistory,
  generations: readonly PartitionGeneration[],
  bounds: Bounds,
  planned: SourceState | undefined,
): CompactedHistory {
  if (planned !== undefined) {
    const begun = generations.find(
      ({ name, seal }) => name === generationOf(planned) && planned.nextOffset < seal.covers.to,
    )
    return begun === undefined ? onlyOriginals(history) : joined(history, begun)
  }
  const reasons: string[] = []
  for (const generation of generations) {
    const reason = whyUnfit(generation, history, bounds)
    if (reason === undefined) return joined(history, generation)
    reasons.push(`@${generation.name} is not used for ${partitionName(history.place)}: ${reason}`)
  }
  requireOriginals(history, generations, bounds, reasons)
  return { ...onlyOriginals(history), warnings: reasons }
}

function onlyOriginals({ tiles }: SurvivingHistory): CompactedHistory {
  return { tiles, generation: undefined, warnings: [] }
}

function joined({ tiles }: SurvivingHistory, { name, seal, tiles: own }: PartitionGeneration): CompactedHistory {
  const later = tiles.flatMap(tile => narrowed(tile, seal.covers.to, Infinity) ?? [])
  return { tiles: [...own, ...later], generation: name, warnings: [] }
}

/** Why a generation cannot stand for the originals of its range. */
function whyUnfit(
  { seal: { covers, timestampMax } }: PartitionGeneration,
  { cuts }: SurvivingHistory,
  { fromOffset, toOffset, untilMs }: Bounds,
): string | undefined {
  const range = `of offsets ${covers.from} to ${covers.to - 1} it keeps only the latest record per key`
  if (fromOffset !== undefined && fromOffset > covers.from)
    return `${range}, and offset ${fromOffset} is where to begin`
  if (toOffset !== undefined && toOffset < covers.to) return `${range}, and offset ${toOffset} is where to end`
  if (untilMs !== undefined && timestampMax !== undefined && timestampMax > untilMs)
    return `${range}, and some of them are later than ${new Date(untilMs).toISOString()}`
  const cut = cuts.find(({ at }) => at < covers.to)
  if (cut !== undefined) return `Kafka lost the records from offset ${cut.at} on in an unclean leader election`
  return undefined
}

/** Throws when the originals are gone that a cut inside of all generations needs. */
function requireOriginals(
  { place, tiles }: SurvivingHistory,
  generations: readonly PartitionGeneration[],
  { fromOffset = 0, toOffset = Infinity }: Bounds,
  reasons: readonly string[],
): void {
  const first = tiles[0]?.from ?? Infinity
  const lost = generations.find(({ seal }) => seal.covers.from < Math.min(first, toOffset) && fromOffset < first)
  if (lost === undefined) return
  throw new MaxbrodError(
    'TILING_HOLE',
    `the originals of ${partitionName(place)} before offset ${tiles[0]?.from ?? lost.seal.covers.to} are gone, and ${reasons.join('; ')}`,
    {
      topic: place.topic,
      partition: place.partition,
      hint: 'restore up to a later moment or offset, or leave out --use-compacted to restore what the originals have',
    },
  )
}

/** How far a source partition is planned, under whatever target. */
export function plannedSource(
  state: PlanState | undefined,
  source: Parameters<typeof isOfSource>[1],
  folderId: string | undefined,
): SourceState | undefined {
  return [...(state?.chains.values() ?? [])]
    .flatMap(({ sources }) => sources)
    .find(one => isOfSource(one, source, folderId))
}

/** The compacted generation that the last planned file is of. */
export function generationOf({ lastKey }: Pick<SourceState, 'lastKey'>): string | undefined {
  return compactedOf(lastKey)
}

/** The compacted generation that a file is of, by its key. */
export function compactedOf(key: string): string | undefined {
  return key.startsWith('@compacted/') ? parseTileKey(key)?.generation : undefined
}
