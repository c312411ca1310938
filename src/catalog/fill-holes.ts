/** A range of offsets, closed-open. */
interface Span {
  readonly from: number
  readonly to: number
}

/** A file that stands in for others, and what of it counts. */
export interface Filler<T extends Span> {
  readonly tile: T
  readonly from: number
  readonly to: number
}

/**
 * What of `fillers` lies where none of `tiles` is: before them, between them, and behind them. Both are in the order of their
 * offsets. Where several fillers have the same offsets, the first one counts. Pure.
 */
export function fillHoles<T extends Span>(tiles: readonly Span[], fillers: readonly T[]): Filler<T>[] {
  const filled: Filler<T>[] = []
  const fill = (from: number, to: number) => {
    let at = from
    for (const tile of fillers) {
      const part = { tile, from: Math.max(tile.from, at), to: Math.min(tile.to, to) }
      if (part.from >= part.to) continue
      filled.push(part)
      at = part.to
    }
  }
  let end = 0
  for (const { from, to } of tiles) {
    if (from > end) fill(end, from)
    end = Math.max(end, to)
  }
  fill(end, Infinity)
  return filled
}
