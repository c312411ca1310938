import { formatBytes, formatDuration } from '../../config/units.ts'
import type { Limits } from './rules.ts'

/** A file that might go, as far as it matters. */
export interface Candidate {
  readonly from: number
  /** Undefined when neither its header nor a next file says where it ends. */
  readonly to: number | undefined
  readonly bytes: number
  readonly storedAtMs: number
  /** Of its newest record, in ms. */
  readonly timestampMax: bigint | undefined
}

export interface Surroundings {
  readonly nowMs: number
  /** Of all newer files of the partition. */
  readonly newerBytes: number
  /** The first offset that restoration points need. */
  readonly needed: number
}

/** Why a file stays, for people; undefined when it may go. Pure. */
export function whyKept(file: Candidate, limits: Limits, around: Surroundings): string | undefined {
  const { keepMs, keepBytes, source } = limits
  if (file.to === undefined) return 'nothing says where it ends'
  const time = timeOf(file, around.nowMs)
  const isOlderThan = (ms: number) => time !== undefined && around.nowMs - time > ms
  const unlessOld = (says: string) => (time === undefined ? 'nothing says how old it is' : says)
  if (keepMs !== undefined && !isOlderThan(keepMs)) return unlessOld(`newer than ${formatDuration(keepMs)}`)
  if (keepBytes !== undefined && around.newerBytes < keepBytes) return `among the newest ${formatBytes(keepBytes)}`
  if (source !== undefined) {
    const isOver = source.keepMs !== undefined && isOlderThan(source.keepMs)
    const isTooMuch = source.keepBytes !== undefined && around.newerBytes >= source.keepBytes
    if (!isOver && !isTooMuch) return unlessOld('within the retention of its topic')
  }
  return file.to > around.needed ? 'Kafka had it at a restoration point that is kept' : undefined
}

/** When there was Kafka: before that no record was written to it. */
const FIRST_KAFKA_MS = Date.UTC(2011, 0)
/** Clocks of writers and of the store differ. */
const SKEW_MS = 24 * 3_600_000

/**
 * The time of a file, in ms: that of its newest record, as in Kafka, unless no clock that is right can have said it. Copies that
 * lose it, and stores that do not tell, give 1970 or 1980 as the time at which a file was stored: that says nothing. Pure.
 */
export function timeOf(
  { storedAtMs, timestampMax }: Pick<Candidate, 'storedAtMs' | 'timestampMax'>,
  nowMs: number,
): number | undefined {
  const isStoredThen = storedAtMs >= FIRST_KAFKA_MS
  const latestMs = (isStoredThen ? storedAtMs : nowMs) + SKEW_MS
  if (timestampMax !== undefined && timestampMax >= FIRST_KAFKA_MS && timestampMax <= latestMs)
    return Number(timestampMax)
  return isStoredThen ? storedAtMs : undefined
}

/**
 * How many of the oldest files may go together, if the first `wanted` of them may each: none may reach into what stays, or a
 * reader would miss what only the removed one has. Pure.
 */
export function wholeRange(files: readonly Pick<Candidate, 'from' | 'to'>[], wanted: number): number {
  for (let count = wanted; count > 0; count--) {
    const begin = files[count]?.from ?? Infinity
    if (files.slice(0, count).every(({ to = Infinity }) => to <= begin)) return count
  }
  return 0
}
