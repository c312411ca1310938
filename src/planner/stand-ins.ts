import { fillHoles } from '../catalog/fill-holes.ts'
import { proveTiling } from '../catalog/tiling.ts'
import { narrowed } from './cut-history.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

export interface Missing {
  /** What lies before it was given up. */
  readonly begin: number
  /** There are files beside these that cannot be read. */
  readonly isMissing: boolean
}

/**
 * The files of a partition, with others in the place of those that are gone or that nobody here can open, which hold the very same
 * records: merged and rewrapped ones. They are looked for only when something is missing behind `begin`.
 */
export async function withStandIns(
  tiles: readonly SurveyedTile[],
  { begin, isMissing }: Missing,
  find: () => Promise<readonly SurveyedTile[]>,
): Promise<readonly SurveyedTile[]> {
  const [first] = tiles
  const isWhole = proveTiling(tiles).holes.length === 0 && (first?.from ?? 0) <= Math.max(first?.origin ?? 0, begin)
  if (isWhole && !isMissing) return tiles
  const parts = fillHoles(tiles, await find()).flatMap(
    ({ tile, from, to }) => narrowed(tile, Math.max(from, begin), to) ?? [],
  )
  return [...tiles, ...parts].toSorted((a, b) => a.from - b.from)
}
