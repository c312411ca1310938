import type { Segment } from '../cover.ts'
import { SIGNS, strip, WORST_LAST } from '../strip.ts'
import { markup } from './html.ts'
import type { Html } from './html.ts'

const COLUMNS = 50
const CLASSES = { GAP: 'g', UPLOADING: 'u', LATE: 'l', LOST: 'x' } as const
type Kind = keyof typeof CLASSES
const KIND_OF = new Map<string, Kind>(WORST_LAST.map(kind => [SIGNS[kind], kind]))
const ORDER: readonly (Kind | undefined)[] = [undefined, ...WORST_LAST]

/** Patterns that the strips are filled with: they are told apart without their colours. */
export const patterns: Html = markup`<svg class=defs aria-hidden=true><defs>
<pattern id=g width=6 height=6 patternUnits=userSpaceOnUse><path class=g0 d="M0 0h6v6H0z"/><path class=g1 d="M-1 7 7-1M-1 1 1-1M5 7 7 5"/></pattern>
<pattern id=l width=6 height=6 patternUnits=userSpaceOnUse><path class=l0 d="M0 0h6v6H0z"/><circle class=l1 cx=3 cy=3 r=1.6 /></pattern>
<pattern id=u width=6 height=6 patternUnits=userSpaceOnUse><path class=u0 d="M0 0h6v6H0z"/><path class=u1 d="M0 0h3v6H0z"/></pattern>
<pattern id=x width=8 height=8 patternUnits=userSpaceOnUse><path class=x0 d="M0 0h8v8H0z"/><path class=x1 d="M1 1 7 7M7 1 1 7"/></pattern>
</defs></svg>`

/**
 * The strip of a partition: what is not found, over a ground that stands for what is. What is missing is seen however little it
 * is, and told in words; a strip without it needs none beside its status. Pure.
 */
export function stripSvg(segments: readonly Segment[]): Html {
  return isFound(segments) ? markup`` : svgOf(columnsOf(segments), sharesOf(segments))
}

/** One strip for several partitions, each as long as the others: in every place the worst of them. Pure. */
export function sumSvg(partitions: readonly (readonly Segment[])[]): Html {
  const columns = Array.from({ length: COLUMNS }, (): Kind | undefined => undefined)
  for (const segments of partitions.filter(one => !isFound(one))) {
    for (const [n, kind] of columnsOf(segments).entries())
      if (ORDER.indexOf(kind) > ORDER.indexOf(columns[n])) columns[n] = kind
  }
  const kinds = WORST_LAST.filter(kind => columns.includes(kind))
  if (kinds.length > 0) return svgOf(columns, `somewhere ${kinds.join(', ')}`)
  return partitions.some(segments => segments.length > 0) ? markup`<svg/>` : markup`<i></i>`
}

/** A sample of a kind, for the legend. */
export function sampleSvg(kind: Segment['kind']): Html {
  return kind === 'FOUND' ? markup`<svg/>` : markup`<svg><rect class=${CLASSES[kind]} width=100% height=100% /></svg>`
}

function isFound(segments: readonly Segment[]): boolean {
  return segments.every(({ kind }) => kind === 'FOUND')
}

function columnsOf(segments: readonly Segment[]): (Kind | undefined)[] {
  return Array.from(strip(segments, COLUMNS), sign => KIND_OF.get(sign))
}

function svgOf(columns: readonly (Kind | undefined)[], says: string): Html {
  const runs: Html[] = []
  for (let at = 0; at < columns.length;) {
    const kind = columns[at]
    let end = at + 1
    while (end < columns.length && columns[end] === kind) end++
    const [x, width] = [(at * 100) / columns.length, ((end - at) * 100) / columns.length]
    if (kind !== undefined) runs.push(markup`<rect class=${CLASSES[kind]} x=${x}% width=${width}% height=100% />`)
    at = end
  }
  return markup`<svg role=img aria-label="${says}">${runs}</svg>`
}

/** `FOUND 97%, LOST 3%`, of the offsets. */
function sharesOf(segments: readonly Segment[]): string {
  const from = segments[0]?.from ?? 0
  const last = segments.at(-1)
  const whole = Math.max(1, (last?.to ?? (last?.from ?? from) + 1) - from)
  return [...Map.groupBy(segments, ({ kind }) => kind)]
    .map(([kind, own]) => {
      const share = own.reduce((sum, one) => sum + ((one.to ?? one.from + 1) - one.from), 0) / whole
      const percent = share * 100
      return `${kind} ${percent > 0 && percent < 1 ? 'below 1' : percent > 99 && percent < 100 ? 'above 99' : Math.round(percent)}%`
    })
    .join(', ')
}
