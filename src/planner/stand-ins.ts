import { fillHoles } from '../catalog/fill-holes.ts'
import { proveTiling } from '../catalog/tiling.ts'
import { narrowed } from './cut-history.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

/**
 * The files of a partition, with others in the place of those that are gone, which hold the very same records: merged ones. They are
 * looked for only when something is missing behind `begin`; what lies before was given up.
 */
export async function withStandIns(
  tiles: readonly SurveyedTile[],
  begin: number,
  find: () => Promise<readonly SurveyedTile[]>,
): Promise<readonly SurveyedTile[]> {
  const [first] = tiles
  const isWhole = proveTiling(tiles).holes.length === 0 && (first?.from ?? 0) <= Math.max(first?.origin ?? 0, begin)
  if (isWhole) return tiles
  const parts = fillHoles(tiles, await find()).flatMap(
    ({ tile, from, to }) => narrowed(tile, Math.max(from, begin), to) ?? [],
  )
  return [...tiles, ...parts].toSorted((a, b) => a.from - b.from)
}
