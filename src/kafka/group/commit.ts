import type { Clock } from '../../runtime/clock.ts'
import { backoffMs } from '../../runtime/retry.ts'
import { PartitionMap, partitionName } from '../../runtime/topic-partition.ts'
import { KafkaError, endingOf, isTemporary, kafkaErrorName } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { OwnedOffset } from '../port/membership.ts'
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
/** A topic that so many answers in a row do not know was deleted. */
const GONE_AFTER = 5

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

/** One commit, and the wait before the next one where there must be one. */
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
      const outcome = outcomeOf(error, failures, partitionName({ topic, partition }))
      if (outcome !== undefined) outcomes.set({ topic, partition }, outcome)
      else if (error !== undefined) errors.add(error)
    }
  } catch (error) {
    if (deps.closing.aborted) return
    if (!(error instanceof KafkaError)) throw error
    if (!mayHeal(error.error)) throw endingOf(error, 'commit offsets')
    errors.add(error.error)
  }
  if (errors.size === 0) return
  const forgotten = FORGOTTEN.find(name => errors.has(name))
  if (forgotten !== undefined) deps.doubt(generation, forgotten)
  if (forgotten !== undefined || errors.has('REBALANCE_IN_PROGRESS'))
    await Promise.race([settled, deps.clock.sleep(BACKOFF.maxMs, deps.closing)])
  else await deps.clock.sleep(backoffMs(BACKOFF, failures, deps.random), deps.closing)
}

/** What an answer means for one partition; undefined when another attempt may turn out better. */
function outcomeOf(error: KafkaErrorName | undefined, failures: number, name: string): Outcome | undefined {
  if (error === undefined) return 'committed'
  if (error === 'UNKNOWN_TOPIC_OR_PARTITION' && failures >= GONE_AFTER) return 'fenced'
  if (mayHeal(error)) return undefined
  throw endingOf(new KafkaError(error, 'OffsetCommit'), `commit the offset of ${name}`)
}

/** Time heals it, or another generation. */
function mayHeal(error: KafkaErrorName): boolean {
  return isTemporary(error) || error === 'REBALANCE_IN_PROGRESS' || FORGOTTEN.includes(error)
}
