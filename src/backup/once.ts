import type { CommittedOffset } from '../kafka/port/admin.ts'
import type { Kafka } from '../kafka/port.ts'
import type { TopicSelection } from '../kafka/port/membership.ts'
import type { Clock } from '../runtime/clock.ts'
import type { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { decodeCommitNote } from '../format/commit-note.ts'
import { isCache, requireArchive } from './resume/commit-note.ts'
import type { CommitNote } from '../format/commit-note.ts'
import { unknownOffset } from './resume/log-bounds.ts'
import type { BackupResult } from './result.ts'
import { selectTopics } from './topics/selection.ts'

/** What `--once` backs up: everything that was committed when it began. */
export interface OnceTargets {
  /** Last stable end of each partition at the start, and the incarnation of its topic. */
  readonly ends: PartitionMap<OnceTarget>
  /** Partitions whose end cannot be told, and why: they are left out, which must not go unsaid. */
  readonly unknown: PartitionMap<MaxbrodError>
  readonly behindOpenTransaction: BackupResult['behindOpenTransaction']
}

interface OnceTarget {
  readonly end: number
  readonly topicId: string | undefined
}

const POLL_MS = 300
/** Small backups end soon after they began. */
const FIRST_POLLS = { count: 20, ms: 100 }
/** Every so many looks at the commits, one at the topics. */
const LOOK_AT_TOPICS = 10

/** Captures the ends of all selected partitions. */
export async function captureTargets({ admin }: Kafka, selection: TopicSelection): Promise<OnceTargets> {
  const topics = await selectTopics(admin, selection)
  const partitions = topics.flatMap(({ name, partitions: count }) =>
    Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
  )
  const [stable, watermarks] = await Promise.all([
    admin.offsets('last stable', partitions),
    admin.offsets('high watermark', partitions),
  ])
  const unknown = new PartitionMap<MaxbrodError>()
  for (const [partition, trouble] of stable.failed) unknown.set(partition, unknownOffset(partition, trouble))
  for (const { name, partitions: count, error } of topics)
    if (error !== undefined && count === 0) {
      const first = { topic: name, partition: 0 }
      unknown.set(first, unknownOffset(first, error))
    }
  const behindOpenTransaction = [...stable.offsets].flatMap(([{ topic, partition }, end]) => {
    const records = (watermarks.offsets.get({ topic, partition }) ?? end) - end
    return records > 0 ? [{ topic, partition, records }] : []
  })
  const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]))
  const ends = new PartitionMap(
    [...stable.offsets].map(([partition, end]) => [partition, { end, topicId: ids.get(partition.topic) }] as const),
  )
  return { ends, unknown, behindOpenTransaction }
}

export interface TargetsDeps {
  readonly kafka: Pick<Kafka, 'admin'>
  readonly groupId: string
  readonly archiveId: string
  readonly clock: Clock
  /** Up to where the store bears out the commits of the partitions that are ours; −1 while that is not known yet. */
  readonly ownEnds: () => PartitionMap<number>
  /** True for a partition that cannot go on here. */
  readonly isStopped: (partition: TopicPartition) => boolean
  /** Such a partition is not waited for from now on. */
  readonly onLeftOut: (partition: TopicPartition) => void
  /** Its owner says that it cannot go on: another worker, which does not end. */
  readonly onStoppedElsewhere: (partition: TopicPartition, code: string) => void
  /** How long that must be so: by then the partition is ours if its owner has died meanwhile. */
  readonly patienceMs: number
  /** Monotonic ms since when the group has shared out other topics than ours; undefined while it does not. */
  readonly othersSinceMs: () => number | undefined
  /** That was so for as long, and the partition did not come to us: it may never. */
  readonly onNotShared: (partition: TopicPartition) => void
  /** True for a topic that a restore fills now: nobody backs it up until it is finalized. */
  readonly isHeld: (topic: string) => boolean
  /** The topic is gone, so the target cannot be reached any more. */
  readonly onGone: (partition: TopicPartition) => void
  readonly signal: AbortSignal
}

/**
 * Resolves when the group has committed every target, whichever worker owns the partition, or when all that is missing are
 * partitions that stopped, here or with another worker, or whose topic was deleted or is held by a restore now. The commit alone does not count where the partition is ours: the
 * store decides, and files may be gone from it. Rejects when the signal aborts, and with FOREIGN_ARCHIVE.
 */
export async function targetsReached({ ends }: OnceTargets, deps: TargetsDeps): Promise<void> {
  const { kafka, groupId, archiveId, clock, ownEnds, isStopped, patienceMs, signal } = deps
  const { onLeftOut, onStoppedElsewhere, onNotShared } = deps
  const left = new PartitionMap(ends)
  const stoppedSinceMs = new PartitionMap<number>()
  for (let look = 0; left.size > 0; look++) {
    signal.throwIfAborted()
    const committed = await kafka.admin.committed(groupId, [...left.keys()])
    const own = ownEnds()
    const isShared = clock.monotonic() - (deps.othersSinceMs() ?? Infinity) < patienceMs
    for (const [partition, target] of left) {
      const note = decodeCommitNote(committed.get(partition)?.metadata ?? '')
      if (note !== undefined) requireArchive(note, archiveId, partition)
      const isDurable = (own.get(partition) ?? Infinity) >= target.end
      const isReached = isDurable && isCommitted(committed.get(partition), note, target)
      if (isReached) left.delete(partition)
      else if (isStopped(partition)) {
        left.delete(partition)
        onLeftOut(partition)
      } else if (!isShared && !own.has(partition)) {
        left.delete(partition)
        onNotShared(partition)
      } else if (note?.stopped === undefined || note.topicId !== target.topicId || own.has(partition))
        stoppedSinceMs.delete(partition)
      else {
        const sinceMs = stoppedSinceMs.get(partition) ?? clock.monotonic()
        stoppedSinceMs.set(partition, sinceMs)
        if (clock.monotonic() - sinceMs < patienceMs) continue
        left.delete(partition)
        onStoppedElsewhere(partition, note.stopped)
      }
    }
    if (look % LOOK_AT_TOPICS === LOOK_AT_TOPICS - 1) await leaveOutGone(left, deps)
    if (left.size > 0) await clock.sleep(look < FIRST_POLLS.count ? FIRST_POLLS.ms : POLL_MS, signal)
  }
}

async function leaveOutGone(left: PartitionMap<OnceTarget>, { kafka, isHeld, onGone }: TargetsDeps): Promise<void> {
  const names = [...new Set([...left.keys()].map(({ topic }) => topic))]
  const topics = new Map((await kafka.admin.topics(names)).map(topic => [topic.name, topic]))
  for (const [partition, { topicId }] of left) {
    if (isHeld(partition.topic)) {
      left.delete(partition) // the result names the topic
      continue
    }
    const topic = topics.get(partition.topic)
    if (topic !== undefined && (topic.error !== undefined || topic.topicId === topicId)) continue
    left.delete(partition)
    onGone(partition)
  }
}

/** A commit counts when it speaks of the same incarnation: offsets of a deleted topic stay in the group. */
function isCommitted(
  committed: CommittedOffset | undefined,
  note: CommitNote | undefined,
  { end, topicId }: OnceTarget,
): boolean {
  return (
    committed !== undefined &&
    committed.offset >= end &&
    note !== undefined &&
    isCache(note) &&
    note.topicId === topicId
  )
}
