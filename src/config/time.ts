import { Unreadable } from './unreadable.ts'

const earliestMs = Date.UTC(2000, 0)
const latestMs = Date.UTC(2100, 0)

/**
 * A moment → ms since 1970-01-01T00:00:00Z. ISO-8601 with a zone, a date alone (its first moment in UTC), or seconds or
 * milliseconds since 1970: years 2000 to 2099 tell these two apart, so seconds never become the year 1970.
 */
export function parseTime(text: string): number {
  if (/^-?\d+$/.test(text)) return parseEpoch(text)
  const hint = 'write it like 2026-11-21T05:30:00Z'
  const [, date, clock, zone] = iso.exec(text) ?? []
  if (date === undefined) throw new Unreadable(`'${text}' is not a time`, hint)
  if (clock !== undefined && zone === undefined) {
    throw new Unreadable(
      `'${text}' does not say in which time zone`,
      `write ${text}Z for UTC, or an offset such as +02:00`,
    )
  }
  const day = Date.parse(`${date}T00:00:00Z`)
  const ms = Date.parse(clock === undefined ? `${date}T00:00:00Z` : `${date}T${clock}${zone}`)
  // Some engines take the 30th of February for the 2nd of March.
  const isOnCalendar = !Number.isNaN(day) && new Date(day).toISOString().startsWith(date)
  if (!isOnCalendar || Number.isNaN(ms)) throw new Unreadable(`'${text}' is not on any calendar or clock`, hint)
  return ms
}

const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?)?$/

function parseEpoch(text: string): number {
  const number = Number(text)
  for (const ms of [number * 1_000, number]) if (ms >= earliestMs && ms < latestMs) return ms
  throw new Unreadable(
    `'${text}' is neither seconds nor milliseconds since 1970 of any year from 2000 to 2099`,
    'write the time like 2026-11-21T05:30:00Z',
  )
}
