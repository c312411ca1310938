import type { SurveyedChain, SurveyedFile } from './survey.ts'

/** Finished files beside the originals, which have the very same records. */
interface Standing {
  readonly atMs: number
  readonly seal: { readonly covers: Span } | undefined
  readonly files: readonly SurveyedFile[]
}

export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * The files of a chain as somebody reads them: in the place of originals that are gone, or that none of the given keys opens, those
 * of generations, as far as a whole file fits in. Pure.
 */
export function withStandIns<C extends SurveyedChain>(chain: C, standing: readonly Standing[]): C {
  if (standing.length === 0) return chain
  const ranges = standing.flatMap(({ seal }) => (seal === undefined ? [] : [seal.covers]))
  const isStoodFor = ({ place: { from } }: SurveyedFile) => ranges.some(one => one.from <= from && from < one.to)
  const kept = chain.files.filter(file => file.isWithoutKey !== true || !isStoodFor(file))
  const holes = holesOf(kept.map((file, n) => spanOf(file, kept[n + 1]?.place.from)))
  const added: SurveyedFile[] = []
  for (const file of standing.toSorted((a, b) => b.atMs - a.atMs).flatMap(({ files }) => files)) {
    const span = spanOf(file, undefined)
    if (span.from >= (chain.begin ?? 0) && fits(span, holes)) added.push(file)
  }
  if (added.length === 0) return chain
  return { ...chain, files: [...kept, ...added].toSorted((a, b) => a.place.from - b.place.from) }
}

/** What lies between spans, which are in their order, before them and behind them. */
export function holesOf(spans: readonly Span[]): Span[] {
  const holes: Span[] = []
  let end = 0
  for (const { from, to } of spans) {
    if (from > end) holes.push({ from: end, to: from })
    end = Math.max(end, to)
  }
  return [...holes, { from: end, to: Infinity }]
}

/** True when a span lies in one of the holes, of which it is then taken. */
export function fits(span: Span, holes: Span[]): boolean {
  let low = 0
  let high = holes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((holes[middle] as Span).to < span.to) low = middle + 1
    else high = middle
  }
  const hole = holes[low]
  if (hole === undefined || span.from < hole.from) return false
  const rest = [
    { from: hole.from, to: span.from },
    { from: span.to, to: hole.to },
  ]
  holes.splice(low, 1, ...rest.filter(({ from, to }) => from < to))
  return true
}

/** A file that does not say where it ends does so where the next one begins. */
function spanOf({ place: { from }, header }: SurveyedFile, next: number | undefined): Span {
  const to = header?.kind === 'maxbrod' ? header.tile.coversTo : next
  return { from, to: to ?? from + 1 }
}
