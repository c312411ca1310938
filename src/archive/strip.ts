import type { Segment } from './cover.ts'

const SIGNS = { FOUND: '█', GAP: '░', UPLOADING: '▓', LATE: '▒', LOST: '×' } as const
const COLUMNS = 40

/** A line of signs, each for a fortieth of the offsets. What is missing is seen however little it is. Pure. */
export function strip(segments: readonly Segment[]): string {
  const from = segments[0]?.from
  const last = segments.at(-1)
  if (from === undefined || last === undefined) return ''
  const to = Math.max(last.to ?? last.from + 1, from + 1)
  const width = (to - from) / COLUMNS
  const signs = Array.from({ length: COLUMNS }, () => SIGNS.FOUND as string)
  // The worst comes last, over what it shares a sign with.
  for (const kind of ['UPLOADING', 'GAP', 'LATE', 'LOST'] as const) {
    for (const segment of segments.filter(one => one.kind === kind)) {
      const first = Math.min(COLUMNS - 1, Math.floor((segment.from - from) / width))
      const behind = Math.max(first + 1, Math.ceil(((segment.to ?? to) - from) / width))
      signs.fill(SIGNS[kind], first, Math.min(behind, COLUMNS))
    }
  }
  return signs.join('')
}
