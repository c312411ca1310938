import { partitionFolder } from '../format/keys.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { narrowed } from './cut-history.ts'
import type { SurveyedPartition } from './survey.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

/** The files of one partition that hold the history its log has now, over all lineages. */
export interface SurvivingHistory extends SurveyedPartition {
  readonly cuts: readonly LineageCut[]
}

/** Where the log of a partition lost records to an unclean leader election, and went on with others. */
export interface LineageCut {
  /** The first offset that is another record now. */
  readonly at: number
  /** Whose records survive from there on. */
  readonly lineage: number
  /** Files whose records from there on were lost in Kafka; the backup keeps them. */
  readonly lost: SurvivingHistory
}

/**
 * Joins the lineages of each partition: a chain counts up to where the next one begins, which is its origin. Files that reach
 * beyond are cut (`wholeTo`); how many records are left of them is for who reads them. `partitions` are in the order of
 * their lineages. Pure.
 */
export function joinLineages(partitions: readonly SurveyedPartition[]): SurvivingHistory[] {
  const histories = new Map<number, SurvivingHistory>()
  for (const one of partitions) {
    const { place, tiles, sealed = [] } = one
    const before = histories.get(place.partition)
    // What encrypted files cover from their first offset on is not the old history any more, whatever else they hold.
    const at = tiles[0]?.origin ?? sealed[0]?.from
    if (before === undefined) histories.set(place.partition, { ...one, cuts: [] })
    else if (at !== undefined && place.lineage !== undefined) {
      histories.set(place.partition, {
        place: before.place,
        tiles: [...before.tiles.flatMap(tile => cut(tile, at)), ...tiles],
        begin: Math.max(before.begin ?? 0, one.begin ?? 0),
        sealed: [...(before.sealed ?? []).filter(({ from }) => from < at), ...sealed],
        cuts: [...before.cuts, { at, lineage: place.lineage, lost: before }],
      })
    }
  }
  return [...histories.values()]
}

/**
 * The history that a partition had at a moment when it ended at `end`. A lineage that began later has nothing of then; it did if
 * the log reached beyond its beginning while it had no record that old. Pure.
 */
export function historyAt(history: SurvivingHistory, end: number, atMs: number): SurvivingHistory {
  const last = history.cuts.at(-1)
  if (last === undefined) return history
  const own = history.tiles.filter(({ lineage }) => lineage === last.lineage)
  const isWhole = own[0] !== undefined && own[0].from === own[0].origin
  const firstMs = own.find(({ timestampMin }) => timestampMin !== undefined)?.timestampMin
  const isLater = isWhole && firstMs !== undefined && firstMs > atMs
  return last.at < end && isLater ? historyAt(last.lost, end, atMs) : history
}

/** What of a file lies below an offset, if anything does. */
function cut(tile: SurveyedTile, at: number): SurveyedTile[] {
  const below = tile.from < at ? narrowed(tile, 0, at) : undefined
  return below === undefined ? [] : [below]
}

/** For people: what a plan leaves out because Kafka lost it. */
export function warningsOf({ place, cuts }: SurvivingHistory): string[] {
  return cuts.map(({ at, lineage, lost }) => {
    const end = lost.tiles.at(-1)?.to ?? at
    const folders = [...new Set(lost.tiles.filter(({ to }) => to > at).map(tile => folderOf(lost, tile)))]
    const kept = end > at ? `; what Kafka lost of it, up to ${end - 1}, stays in ${folders.join(', ')}` : ''
    return `${partitionName(place)}: an unclean leader election cut the log at offset ${at}; the plan goes on there with leader epoch ${lineage}${kept}`
  })
}

/** For people: what came after the point whose history is restored. */
export function warningsOfLater({ place, cuts }: SurvivingHistory, then: SurvivingHistory | undefined): string[] {
  return cuts
    .slice(then?.cuts.length)
    .map(
      ({ at, lineage }) =>
        `${partitionName(place)}: an unclean leader election cut the log at offset ${at} after the restoration point; it is restored as it was then, without leader epoch ${lineage}`,
    )
}

function folderOf({ place }: SurveyedPartition, { lineage }: SurveyedTile): string {
  return partitionFolder({ ...place, lineage })
}
