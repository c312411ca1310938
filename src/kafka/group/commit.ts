import type { Clock } from '../../runtime/clock.ts'
import { backoffMs } from '../../runtime/retry.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import { KafkaError, endingOf, isTemporary, kafkaErrorName } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { OwnedOffset } from '../port.ts'
import type { CommittedPartition } from '../protocol/offset-commit.ts'

export interface CommitDeps {
  /** Sends one commit under the present generation. */
  readonly send: (offsets: readonly CommitOffset[]) => Promise<CommittedPartition[]>
  readonly generation: () => number
  /** Resolves when the next generation begins, or the session ends. */
  readonly settled: () => Promise<void>
  /** Tells the session what the broker answered under that generation: it may have forgotten this member. */
  readonly doubt: (generation: number, error: KafkaErrorName) => void
  readonly closing: AbortSignal
  readonly clock: Clock
  readonly random: () => number
}

type CommitOffset = { topic: string; partition: number; offset: number; leaderEpoch: number; metadata: string }
type Outcome = 'committed' | 'fenced'

const BACKOFF = { initialMs: 100, maxMs: 2_000 }
/** The answers by which the broker says that we are not who we think we are. */
const FORGOTTEN: readonly KafkaErrorName[] = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']

/**
 * Commits until each offset is taken or its ownership is over. A commit that lost its answer is sent again: committing the
 * same offset twice changes nothing. Throws MaxbrodError for what neither time nor another generation can heal.
 */
export async function commitOwned(offsets: readonly OwnedOffset[], deps: CommitDeps): Promise<PartitionMap<Outcome>> {
  const outcomes = new PartitionMap<Outcome>()
  for (let failures = 0; ; failures++) {
    for (const { ownership } of offsets) {
      if (!outcomes.has(ownership) && (ownership.ended.aborted || deps.closing.aborted))
        outcomes.set(ownership, 'fenced')
    }
    const open = offsets.filter(({ ownership }) => !outcomes.has(ownership))
    if (open.length === 0) return outcomes
    await commitOnce(open, outcomes, failures, deps)
  }
}

async function commitOnce(
  open: readonly OwnedOffset[],
  outcomes: PartitionMap<Outcome>,
  failures: number,
  deps: CommitDeps,
): Promise<void> {
  const generation = deps.generation()
  const settled = deps.settled()
  if (generation < 0) return settled
  const errors = new Set<KafkaErrorName>()
  try {
    const entries = open.map(({ ownership, offset, leaderEpoch, metadata }) => ({
      topic: ownership.topic,
      partition: ownership.partition,
      offset,
      leaderEpoch,
      metadata,
    }))
    for (const { topic, partition, errorCode } of await deps.send(entries)) {
      const error = kafkaErrorName(errorCode)
      if (error === undefined) outcomes.set({ topic, partition }, 'committed')
      else errors.add(error)
    }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    errors.add(error.error)
  }
  if (errors.size === 0) return
  const [error] = errors
  if (errors.has('REBALANCE_IN_PROGRESS')) await Promise.race([settled, deps.clock.sleep(BACKOFF.maxMs, deps.closing)])
  else if (error !== undefined && FORGOTTEN.includes(error)) {
    deps.doubt(generation, error)
    await Promise.race([settled, deps.clock.sleep(BACKOFF.maxMs, deps.closing)])
  } else if (error !== undefined && [...errors].every(isTemporary)) {
    await deps.clock.sleep(backoffMs(BACKOFF, failures, deps.random), deps.closing)
  } else if (error !== undefined) throw endingOf(new KafkaError(error, 'OffsetCommit'), 'commit offsets')
}
