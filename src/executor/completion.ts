import type { PlanEnd, PlanEntry, PlanHead } from '../format/plan.ts'
import type { Kafka } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { ExecutorDeps } from './deps.ts'
import { endOf, readPlanEntries } from './plan-reader.ts'

/** The plan as it was complete at one moment. */
export interface CompletePlan {
  /** End of each plan partition: all that must be committed. */
  readonly ends: readonly number[]
  /** By target partition: how many records it must get. */
  readonly records: PartitionMap<number>
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
