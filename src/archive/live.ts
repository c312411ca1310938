import { EXPIRED, EXPIRING } from './losses.ts'
import type { Loss } from './losses.ts'

/** What Kafka says of one partition now. */
export interface LivePartition {
  readonly logStart: number
  /** For readers of committed records. */
  readonly end: number
  /** Of what is in no file, offsets below it are in Kafka for so long that they should be. */
  readonly dueTo: number
  /** Age of the oldest record that is in no file; undefined when there is none. */
  readonly seconds: number | undefined
  /** How long until retention takes that record; undefined when nothing does. */
  readonly headroomSeconds: number | undefined
  /** Undefined while a worker is at work on it; else why not, as a sentence about the offsets. */
  readonly stopped: string | undefined
}

/** An incarnation of a topic, and up to where each of its partitions is in files. */
export interface AskedTopic {
  readonly topic: string
  readonly topicId: string | undefined
  readonly ends: ReadonlyMap<number, number>
}

/** Asks Kafka. Of each incarnation that the topic still is, all partitions that the cluster tells of. */
export type AskKafka = (
  asked: readonly AskedTopic[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<AskedTopic, ReadonlyMap<number, LivePartition>>>

/** For who reads the result. */
export interface Unprotected {
  readonly end: number
  /** Offsets that Kafka has and no file does. */
  readonly unprotected: number
  readonly unprotectedSeconds: number | undefined
  readonly headroomSeconds: number | undefined
}

export function unprotectedOf(
  { logStart, end, seconds, headroomSeconds }: LivePartition,
  filesEnd: number,
): Unprotected {
  const unprotected = Math.max(0, end - Math.max(filesEnd, logStart))
  return { end, unprotected, unprotectedSeconds: seconds, headroomSeconds }
}

/** What is behind the files of a partition: up to where, what became of it, and why. In the order of the offsets. Pure. */
export function behindFiles(live: LivePartition): {
  readonly lost: Loss
  readonly late: { readonly to: number; readonly reason: string }
  readonly uploading: { readonly to: number; readonly reason: string }
} {
  const { logStart, end, dueTo, stopped } = live
  const lost = { to: Math.min(logStart, end) }
  return {
    // A worker reads ahead of its files; what retention takes meanwhile is in its spool.
    lost: stopped === undefined ? { ...lost, reason: EXPIRING, isDoubtful: true } : { ...lost, reason: EXPIRED },
    late: { to: stopped === undefined ? Math.min(dueTo, end) : end, reason: stopped ?? OVERDUE },
    uploading: { to: end, reason: 'a worker is at work on them' },
  }
}

const OVERDUE = 'in Kafka for longer than --late-after, and not in the backup yet'
