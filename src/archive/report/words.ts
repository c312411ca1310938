import { formatDuration } from '../../config/units.ts'
import { timeText } from '../../observe/ago.ts'

/** Made when a page is: it takes longer than all else that is loaded for one, and most processes show none. */
let counts: Intl.NumberFormat | undefined

/** `1,234,567` */
export function count(value: number): string {
  counts ??= new Intl.NumberFormat('en-US')
  return counts.format(value)
}

export function things(amount: number, name: string): string {
  return `${count(amount)} ${name}${amount === 1 ? '' : 's'}`
}

export function seconds(value: number): string {
  if (value < 0) return 'overdue'
  return value === 0 ? '0s' : formatDuration(value * 1_000)
}

/** A record's age in a cell; times that no right clock has said as they are. */
export function short(timestampMs: number, nowMs: number): string {
  return timestampMs > 0 && timestampMs <= nowMs ? formatDuration(nowMs - timestampMs) : timeText(timestampMs)
}

export function day(timestampMs: number): string {
  return timeText(timestampMs).slice(0, 10)
}

export function minute(timestampMs: number): string {
  return timeText(timestampMs).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$/, '$1 $2')
}
