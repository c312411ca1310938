/** For people: `2.5 hours ago`, `just now`; a moment that is still to come by another clock is `just now`, too. */
export function ago(atMs: number, nowMs: number): string {
  const seconds = (nowMs - atMs) / 1_000
  const unit = UNITS.find(({ from }) => seconds >= from)
  if (unit === undefined) return 'just now'
  const amount = seconds / unit.seconds
  const shown = amount < 9.95 ? Number(amount.toFixed(1)) : Math.round(amount)
  return `${shown} ${unit.name}${shown === 1 ? '' : 's'} ago`
}

const UNITS = [
  { name: 'year', seconds: 31_557_600, from: 2 * 31_557_600 },
  { name: 'day', seconds: 86_400, from: 2 * 86_400 },
  { name: 'hour', seconds: 3_600, from: 3_600 },
  { name: 'minute', seconds: 60, from: 60 },
  { name: 'second', seconds: 1, from: 1 },
]

/** A record's timestamp, which can be any 64-bit number: those that no calendar knows stay numbers. */
export function timeText(timestampMs: bigint | number): string {
  const date = new Date(Number(timestampMs))
  return Number.isNaN(date.getTime()) ? `${timestampMs}` : date.toISOString()
}
