import { formatBytes, formatDuration } from '../config/units.ts'
import type { Limits } from './prune-rules.ts'

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
  const ageMs = around.nowMs - timeOf(file)
  if (keepMs !== undefined && ageMs <= keepMs) return `newer than ${formatDuration(keepMs)}`
  if (keepBytes !== undefined && around.newerBytes < keepBytes) return `among the newest ${formatBytes(keepBytes)}`
  if (source !== undefined) {
    const isOver = source.keepMs !== undefined && ageMs > source.keepMs
    const isTooMuch = source.keepBytes !== undefined && around.newerBytes >= source.keepBytes
    if (!isOver && !isTooMuch) return 'within the retention of its topic'
  }
  return file.to > around.needed ? 'Kafka had it at a restoration point that is kept' : undefined
}

/** When there was Kafka: before that no record was written to it. */
const FIRST_KAFKA_MS = Date.UTC(2011, 0)
/** Clocks of writers and of the store differ. */
const SKEW_MS = 24 * 3_600_000

/** The time of a file, in ms: that of its newest record, as in Kafka, unless no clock that is right can have said it. Pure. */
export function timeOf({ storedAtMs, timestampMax }: Pick<Candidate, 'storedAtMs' | 'timestampMax'>): number {
  if (timestampMax === undefined) return storedAtMs
  const isPlausible = timestampMax >= FIRST_KAFKA_MS && timestampMax <= storedAtMs + SKEW_MS
  return isPlausible ? Number(timestampMax) : storedAtMs
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
