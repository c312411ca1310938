import type { Segment } from './cover.ts'

export const SIGNS = { FOUND: '█', GAP: '░', UPLOADING: '▓', LATE: '▒', LOST: '×' } as const
/** What a sign shows that several share: the last of them. */
export const WORST_LAST = ['UPLOADING', 'GAP', 'LATE', 'LOST'] as const
const COLUMNS = 40

/** A line of signs, each for as many of the offsets as the others. What is missing is seen however little it is. Pure. */
export function strip(segments: readonly Segment[], columns = COLUMNS): string {
  const from = segments[0]?.from
  const last = segments.at(-1)
  if (from === undefined || last === undefined) return ''
  const to = Math.max(last.to ?? last.from + 1, from + 1)
  const width = (to - from) / columns
  const signs = Array.from({ length: columns }, () => SIGNS.FOUND as string)
  for (const kind of WORST_LAST) {
    for (const segment of segments.filter(one => one.kind === kind)) {
      const first = Math.min(columns - 1, Math.floor((segment.from - from) / width))
      const behind = Math.max(first + 1, Math.ceil(((segment.to ?? to) - from) / width))
      signs.fill(SIGNS[kind], first, Math.min(behind, columns))
    }
  }
  return signs.join('')
}
