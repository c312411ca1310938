import type { CommittedOffset } from '../../kafka/port/admin.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { decodeCommitNote } from '../../format/commit-note.ts'
import { isCache } from '../resume/commit-note.ts'
import { headroomMs } from './retention.ts'

/** How far one partition is in the backup. */
export interface PartitionStatus extends TopicPartition {
  /** All committed records below it are durable. */
  readonly protectedTo: number
  /** The end for readers of committed records. */
  readonly end: number
  /** Offsets not in the backup yet. */
  readonly behind: number
  /** Age of the oldest record that is not in the backup, in seconds; 0 when there is none. */
  readonly behindSeconds: number
  /** Offsets that Kafka deleted before they were backed up: a gap that the next file will declare. */
  readonly lost: number
  /** How long until retention takes the oldest record that is not in the backup; undefined when nothing is in danger. */
  readonly headroomSeconds: number | undefined
  /** Why its worker cannot go on with it, as an error code; undefined while it can. */
  readonly stopped: string | undefined
}

export interface PartitionFacts {
  readonly logStart: number
  readonly end: number
  readonly committed: CommittedOffset | undefined
  /** Of the topic as it is now: a commit of another incarnation protects nothing of it. */
  readonly topicId: string | undefined
}

/** Judges one partition; `firstTimestamp` reads the first record from an offset on, in ms, and is asked only when one is missing. */
export async function protectionOf(
  { topic, partition }: TopicPartition,
  { logStart, end, committed, topicId }: PartitionFacts,
  firstTimestamp: (from: number) => Promise<number | undefined>,
  retentionMs: number | undefined,
  nowMs: number,
): Promise<PartitionStatus> {
  const note = committed === undefined ? undefined : decodeCommitNote(committed.metadata)
  const isOurs = committed !== undefined && note !== undefined && note.topicId === topicId
  const isProtected = isOurs && isCache(note)
  const protectedTo = isProtected ? committed.offset : 0
  const from = Math.max(protectedTo, logStart)
  const behind = Math.max(0, end - from)
  const oldestMs = behind > 0 ? await firstTimestamp(from) : undefined
  // Before the first commit nothing was missed: what is gone then was never to be backed up.
  const lost = isProtected ? Math.max(0, logStart - protectedTo) : 0
  return {
    topic,
    partition,
    protectedTo: isProtected ? protectedTo : logStart,
    end,
    behind,
    behindSeconds: oldestMs === undefined ? 0 : seconds(Math.max(0, nowMs - oldestMs)),
    lost,
    stopped: isOurs ? note.stopped : undefined,
    headroomSeconds:
      oldestMs === undefined || retentionMs === undefined
        ? undefined
        : seconds(headroomMs(oldestMs, retentionMs, nowMs)),
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000)
}
