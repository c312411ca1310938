/** A moment in UTC as it stands in keys: `2026-11-21T05-30-13.123Z`. */
export function keyStamp(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(':', '-')
}

/** The moment that a key stamp names in ms, or undefined when it is none. */
export function parseKeyStamp(stamp: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})Z$/.exec(stamp)
  if (match === null) return undefined
  const atMs = Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`)
  // Date.parse takes February 30 for a day of March.
  return Number.isNaN(atMs) || keyStamp(atMs) !== stamp ? undefined : atMs
}
