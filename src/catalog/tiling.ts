/** A tile's place in its chain: what the proof needs to know. */
export interface TileSpan {
  readonly key: string
  readonly from: number
  readonly to: number
}

/** Offsets that no tile covers; closed-open. */
export interface Hole {
  readonly from: number
  readonly to: number
}

/** Two tiles that cover the same offsets. */
export interface Overlap {
  readonly first: string
  readonly second: string
  readonly from: number
  readonly to: number
}

export interface TilingProof {
  readonly holes: readonly Hole[]
  readonly overlaps: readonly Overlap[]
}

/** Checks that tiles, sorted by their start, cover an unbroken range of offsets once. */
export function proveTiling(tiles: readonly TileSpan[]): TilingProof {
  const holes: Hole[] = []
  const overlaps: Overlap[] = []
  let last: TileSpan | undefined
  for (const tile of tiles) {
    if (last !== undefined && tile.from > last.to) holes.push({ from: last.to, to: tile.from })
    if (last !== undefined && tile.from < last.to) {
      overlaps.push({ first: last.key, second: tile.key, from: tile.from, to: Math.min(last.to, tile.to) })
    }
    if (last === undefined || tile.to >= last.to) last = tile
  }
  return { holes, overlaps }
}
