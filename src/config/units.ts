import { Unreadable } from './unreadable.ts'

const bytesIn: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

const msIn: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `5MiB`, `1.5GiB`, `500kB`, `1048576` → bytes. `5M` is refused: some tools take it for 10^6, others for 2^20. */
export function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? []
  const factor = bytesIn[unit.toLowerCase()]
  if (number !== '' && /^[kmgt]$/i.test(unit)) {
    const short = `${number}${unit.toUpperCase()}`
    throw new Unreadable(`'${text}' could mean powers of 1000 or of 1024`, `write ${short}iB or ${short}B`)
  }
  const bytes = Math.round(Number(number) * (factor ?? Number.NaN))
  if (number === '' || !Number.isSafeInteger(bytes))
    throw new Unreadable(`'${text}' is not a size`, 'write it like 5MiB')
  return bytes
}

/** `30s`, `1m30s`, `1.5h`, `500ms`, `7d` → ms. A number without a unit is refused, except 0. */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  if (/^\d+(\.\d+)?$/.test(text)) throw new Unreadable(`'${text}' has no unit`, `write ${text}s, ${text}m or ${text}ms`)
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/i.test(text)) {
    throw new Unreadable(`'${text}' is not a duration`, 'write it like 30s, 5m or 1h30m')
  }
  let ms = 0
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gi)) {
    ms += Number(number) * (msIn[unit.toLowerCase()] ?? Number.NaN)
  }
  ms = Math.round(ms)
  if (!Number.isSafeInteger(ms)) throw new Unreadable(`'${text}' is not a duration`, 'write it like 30s, 5m or 1h30m')
  return ms
}

/** For people, three digits: `999 B`, `5.00 MiB`, `1.42 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
  let value = bytes
  let unit = 0
  // 999.5 would be rounded to 1000: four digits.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${units[unit]}`
}

/** For people: `12.3M`, `950`. */
export function formatCount(count: number): string {
  if (count < 999.5) return `${Math.round(count)}`
  if (count < 999_500) return `${threeDigits(count / 1e3)}k`
  if (count < 999_500_000) return `${threeDigits(count / 1e6)}M`
  return `${threeDigits(count / 1e9)}G`
}

/** For people, the two largest units: `350ms`, `12s`, `5m03s`, `2d04h`. Other than `350ms` they are rounded down. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  const seconds = Math.floor(ms / 1_000)
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)]
  if (minutes === 0) return `${seconds}s`
  if (hours === 0) return `${minutes}m${twoDigits(seconds % 60)}s`
  if (days === 0) return `${hours}h${twoDigits(minutes % 60)}m`
  return `${days}d${twoDigits(hours % 24)}h`
}

function threeDigits(value: number): string {
  return value.toPrecision(3).includes('e') ? `${Math.round(value)}` : value.toPrecision(3)
}

function twoDigits(value: number): string {
  return `${value}`.padStart(2, '0')
}
