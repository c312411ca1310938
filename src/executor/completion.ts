import { sealConfigs } from '../format/hold.ts'
import type { PlanEnd, PlanEntry, PlanHead } from '../format/plan.ts'
import type { Kafka } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { ExecutorDeps } from './deps.ts'
import { endOf, readPlanEntries } from './plan-reader.ts'
import type { Targets } from './targets.ts'

/** The plan as it was complete at one moment. */
export interface CompletePlan {
  /** End of each plan partition: all that must be committed. */
  readonly ends: readonly number[]
  /** By target partition: how many records it must get. */
  readonly records: PartitionMap<number>
}

/** What of a plan is in the targets. */
export interface PlanCount {
  readonly topic: string
  readonly partition: number
  /** Records of the newest complete plan, and of the one that was asked about. */
  readonly planned: number
  readonly due: number
  readonly restored: number
  /** Records of this restore in the target: more than `restored` while the plan grows. */
  readonly held: number
}

const POLL_MS = 300
/** A plan without its end record is being written, or its planner died. */
const PLANNER_PATIENCE_MS = 60_000

/** Waits until every plan partition closes with an end record. Throws PLAN_CORRUPT when no planner seems to be at work. */
export async function completePlan(
  deps: ExecutorDeps,
  planTopic: string,
  head: PlanHead,
  signal: AbortSignal,
): Promise<CompletePlan> {
  const { clock, log } = deps
  let grownAtMs = clock.monotonic()
  let size = -1
  for (;;) {
    signal.throwIfAborted()
    const { plan, total } = await planNow(deps.kafka, planTopic, head, signal)
    if (plan !== undefined) return plan
    if (total !== size) grownAtMs = clock.monotonic()
    if (size < 0) log.info({ planTopic }, 'the plan is not complete yet, waiting for its planner')
    size = total
    if (clock.monotonic() - grownAtMs > PLANNER_PATIENCE_MS) {
      throw new MaxbrodError('PLAN_CORRUPT', `${planTopic} is not complete, and nobody adds to it`, {
        hint: 'run maxbrod plan again: it goes on where it stopped',
      })
    }
    await clock.sleep(1_000, signal)
  }
}

/** The plan if every plan partition closes with an end record now, and how many entries there are in all. */
export async function planNow(
  kafka: Kafka,
  planTopic: string,
  head: PlanHead,
  signal: AbortSignal,
): Promise<{ plan: CompletePlan | undefined; total: number }> {
  const partitions = Array.from({ length: head.planPartitions }, (_, partition) => partition)
  const ends = await Promise.all(partitions.map(partition => endOf(kafka, planTopic, partition)))
  const closing = await Promise.all(
    ends.map((end, partition) => closingEntry(kafka, planTopic, partition, end, head, signal)),
  )
  const isComplete = closing.every(end => end !== undefined)
  return {
    plan: isComplete ? { ends, records: recordsOf(closing) } : undefined,
    total: ends.reduce((sum, end) => sum + end, 0),
  }
}

/** The end record that closes a plan partition. The head of a planner that came second, and late, may stand behind it. */
async function closingEntry(
  kafka: Kafka,
  planTopic: string,
  partition: number,
  end: number,
  head: PlanHead,
  signal: AbortSignal,
): Promise<PlanEnd | undefined> {
  for (let from = end, step = 1; from > 0; step *= 2) {
    const to = from
    from = Math.max(0, from - step)
    let last: PlanEntry | undefined
    for await (const { entry } of readPlanEntries(kafka, planTopic, partition, from, to, head, signal)) last = entry
    if (last !== undefined) return last.kind === 'end' ? last : undefined
  }
  return undefined
}

function recordsOf(closing: readonly PlanEnd[]): PartitionMap<number> {
  const records = new PartitionMap<number>()
  for (const { partitions } of closing) {
    for (const [name, chain] of Object.entries(partitions)) {
      const dash = name.lastIndexOf('-')
      records.set({ topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }, chain.records)
    }
  }
  return records
}

/** True when the group has committed the whole plan, whichever executor did the work. */
export async function isCommitted(
  { ends }: CompletePlan,
  kafka: Kafka,
  planTopic: string,
  groupId: string,
): Promise<boolean> {
  const partitions = ends.map((_, partition) => ({ topic: planTopic, partition }))
  const committed = await kafka.admin.committed(groupId, partitions)
  return partitions.every(
    partition => (committed.get(partition)?.offset ?? 0) >= must(ends[partition.partition], 'end'),
  )
}

/** Resolves when that is so. */
export async function planCommitted(
  plan: CompletePlan,
  { kafka, clock }: { kafka: Kafka; clock: Clock },
  planTopic: string,
  groupId: string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    if (await isCommitted(plan, kafka, planTopic, groupId)) return
    await clock.sleep(POLL_MS, signal)
  }
}

/**
 * Counts what of the newest complete plan is in the targets. A plan that is growing is counted as it was in `known`. Throws
 * TARGET_SPOILED for a target that holds more than planned, TARGET_LOSING for one that lost its beginning.
 */
export async function countRestored(
  { kafka }: Pick<ExecutorDeps, 'kafka'>,
  planTopic: string,
  known: CompletePlan,
  targets: Targets,
  signal: AbortSignal,
): Promise<PlanCount[]> {
  const partitions = [...known.records.keys()]
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('log end', partitions),
  ])
  // Read behind the ends: what a planner added before that is counted, so that no target can be ahead of its plan.
  const { plan } = await planNow(kafka, planTopic, targets.head, signal)
  return partitions.map(partition => {
    const due = known.records.get(partition) ?? 0
    const planned = (plan ?? known).records.get(partition) ?? 0
    const start = starts.offsets.get(partition)
    const end = ends.offsets.get(partition)
    if (start === undefined || end === undefined)
      throw unknownCount(partition, starts.failed.get(partition) ?? ends.failed.get(partition) ?? 'no answer')
    const held = countOf(partition, start, end, targets)
    if (held > planned && plan !== undefined) throw spoiledBehind(partition, planned, held, targets)
    return { ...partition, planned, due, restored: Math.min(held, planned), held }
  })
}

/** A partition that has no leader for now is not gone. */
function unknownCount({ topic, partition }: TopicPartition, error: string): MaxbrodError {
  return error === 'UNKNOWN_TOPIC_OR_PARTITION'
    ? new MaxbrodError('TARGET_REPLACED', `${topic}-${partition} is gone since the restore was planned`, {
        topic,
        partition,
      })
    : new MaxbrodError('KAFKA_GAVE_UP', `cannot tell how much of ${topic}-${partition} is restored: ${error}`, {
        topic,
        partition,
      })
}

function countOf({ topic, partition }: TopicPartition, start: number, end: number, targets: Targets): number {
  const base = targets.baseOffset(topic, partition)
  if (start > base)
    throw new MaxbrodError(
      'TARGET_LOSING',
      `${topic}-${partition} now begins at ${start}, and the restore began at ${base}`,
      { topic, partition },
    )
  return end - base
}

function spoiledBehind(
  { topic, partition }: TopicPartition,
  planned: number,
  restored: number,
  targets: Targets,
): MaxbrodError {
  return new MaxbrodError(
    'TARGET_SPOILED',
    `${topic}-${partition} holds ${restored} records, where ${planned} are planned`,
    {
      topic,
      partition,
      offset: targets.baseOffset(topic, partition) + planned,
      hint: 'another producer wrote to it, or a late copy arrived: restore this topic again under another name',
    },
  )
}

/** Seals the held topics of which every partition is complete: from now on they take no old records. */
export async function sealComplete(
  { kafka, log }: ExecutorDeps,
  counts: readonly PlanCount[],
  targets: Targets,
): Promise<void> {
  for (const topic of new Set(counts.map(count => count.topic))) {
    const isComplete = counts.every(count => count.topic !== topic || count.restored === count.planned)
    if (!isComplete || !targets.isHeld(topic)) continue
    const seal = sealConfigs((await kafka.admin.topicConfigs([topic])).get(topic) ?? [])
    if (seal.size === 0) continue
    await kafka.admin.alterTopicConfigs(topic, seal)
    log.info({ topic }, 'complete and sealed until maxbrod finalize')
  }
}
