import type { ListedTile } from '../catalog/tile-list.ts'
import { partitionFolder } from '../format/keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

type Named = Pick<ListedTile, 'key' | 'place'>

/**
 * The error for files that were listed and are gone before their headers were read, when no other one of `tiles` has their
 * offsets. What the last file of a partition covered nobody can tell any more. Pure.
 */
export function goneMeanwhile(
  gone: readonly Named[],
  listed: readonly Named[],
  tiles: readonly Pick<SurveyedTile, 'from' | 'to' | 'clusterId' | 'dataEnd'>[],
): MaxbrodError | undefined {
  // Those of kafka-data-keep say only by the next one that is there how far they reach.
  const sure = tiles.map(({ from, to, clusterId, dataEnd }) => ({ from, to: clusterId === undefined ? dataEnd : to }))
  const holes = gone
    .map(({ place }) => {
      const { topic, partition, from } = place
      const next = listed.find(other => other.place.from > from)
      return { place, topic, partition, from, to: next?.place.from }
    })
    .filter(({ from, to }) => !isCovered({ from, to: to ?? from + 1 }, sure))
    .toSorted((a, b) => a.from - b.from)
  if (holes.length === 0) return undefined
  const lines = holes.map(
    ({ place, from, to }) =>
      `the file of ${partitionFolder(place)} for offsets ${to === undefined ? `from ${from} on` : `${from} to ${to - 1}`} was listed and is gone`,
  )
  return new MaxbrodError('TILING_HOLE', lines.join('; '), {
    holes: holes.map(({ topic, partition, from, to }) => ({ topic, partition, from, to })),
    hint: 'something deletes files of the backup: plan again when a prune has ended; else see who does, and restore them from the bucket’s versions',
  })
}

/** True when tiles, in the order of their offsets, have all of a range. */
export function isCovered(
  { from, to }: { readonly from: number; readonly to: number },
  tiles: readonly Pick<SurveyedTile, 'from' | 'to'>[],
): boolean {
  let end = from
  for (const tile of tiles) if (tile.from <= end) end = Math.max(end, tile.to)
  return end >= to
}
