import type { Kafka } from '../kafka/port.ts'
import { decodePlanEntry } from '../format/plan.ts'
import { sealConfigs } from '../format/hold.ts'
import type { Clock } from '../runtime/clock.ts'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { ExecutorDeps } from './deps.ts'
import { endOf } from './plan-reader.ts'
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
  readonly planned: number
  readonly restored: number
}

const POLL_MS = 300
/** A plan without its end record is being written, or its planner died. */
const PLANNER_PATIENCE_MS = 60_000

/** Waits until every plan partition closes with an end record. Throws PLAN_CORRUPT when no planner seems to be at work. */
export async function completePlan(
  deps: ExecutorDeps,
  planTopic: string,
  planPartitions: number,
  signal: AbortSignal,
): Promise<CompletePlan> {
  const { clock, log } = deps
  let grownAtMs = clock.monotonic()
  let size = -1
  for (;;) {
    signal.throwIfAborted()
    const { plan, total } = await planNow(deps.kafka, planTopic, planPartitions, signal)
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
  planPartitions: number,
  signal: AbortSignal,
): Promise<{ plan: CompletePlan | undefined; total: number }> {
  const ends = await Promise.all(
    Array.from({ length: planPartitions }, (_, partition) => endOf(kafka, planTopic, partition)),
  )
  const closing = await Promise.all(ends.map((end, partition) => lastEntry(kafka, planTopic, partition, end, signal)))
  const isComplete = closing.every(chains => chains !== undefined)
  return {
    plan: isComplete ? { ends, records: recordsOf(closing) } : undefined,
    total: ends.reduce((sum, end) => sum + end, 0),
  }
}

type Chains = Readonly<Record<string, { readonly index: number; readonly records: number }>>

/** The chains of a plan partition that closes with an end record, else undefined. */
async function lastEntry(
  kafka: Kafka,
  planTopic: string,
  partition: number,
  end: number,
  signal: AbortSignal,
): Promise<Chains | undefined> {
  for await (const { value } of kafka.readRecords({ topic: planTopic, partition }, Math.max(0, end - 1), end, signal)) {
    const entry = decodePlanEntry(value)
    if (entry.kind === 'end') return entry.chains
  }
  return undefined
}

function recordsOf(closing: readonly (Chains | undefined)[]): PartitionMap<number> {
  const records = new PartitionMap<number>()
  for (const chains of closing) {
    for (const [name, chain] of Object.entries(chains ?? {})) {
      const dash = name.lastIndexOf('-')
      records.set({ topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }, chain.records)
    }
  }
  return records
}

/** Resolves when the group has committed the whole plan, whichever executor did the work. */
export async function planCommitted(
  { ends }: CompletePlan,
  { kafka, clock }: { kafka: Kafka; clock: Clock },
  planTopic: string,
  groupId: string,
  signal: AbortSignal,
): Promise<void> {
  const partitions = ends.map((_, partition) => ({ topic: planTopic, partition }))
  for (;;) {
    signal.throwIfAborted()
    const committed = await kafka.admin.committed(groupId, partitions)
    if (
      partitions.every(partition => (committed.get(partition)?.offset ?? 0) >= must(ends[partition.partition], 'end'))
    )
      return
    await clock.sleep(POLL_MS, signal)
  }
}

/** Counts what of a plan is in the targets. Throws TARGET_SPOILED for one that holds more than that, TARGET_LOSING for one that lost its beginning. */
export async function countRestored(kafka: Kafka, { records }: CompletePlan, targets: Targets): Promise<PlanCount[]> {
  const partitions = [...records.keys()]
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('log end', partitions),
  ])
  return [...records].map(([{ topic, partition }, planned]) => {
    const base = targets.baseOffset(topic, partition)
    const start = starts.offsets.get({ topic, partition })
    const end = ends.offsets.get({ topic, partition })
    if (start === undefined || end === undefined)
      throw new MaxbrodError('TARGET_REPLACED', `${topic}-${partition} is gone since the restore was planned`, {
        topic,
        partition,
      })
    if (start > base)
      throw new MaxbrodError(
        'TARGET_LOSING',
        `${topic}-${partition} now begins at ${start}, and the restore began at ${base}`,
        { topic, partition },
      )
    if (end - base > planned) {
      throw new MaxbrodError(
        'TARGET_SPOILED',
        `${topic}-${partition} holds ${end - base} records, where ${planned} are planned`,
        {
          topic,
          partition,
          offset: base + planned,
          hint: 'another producer wrote to it, or a late copy arrived: restore this topic again under another name',
        },
      )
    }
    return { topic, partition, planned, restored: end - base }
  })
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
    const configs = (await kafka.admin.topicConfigs([topic])).get(topic) ?? []
    const seal = sealConfigs(configs)
    const isSealed = [...seal].every(([name, value]) => configs.find(config => config.name === name)?.value === value)
    if (isSealed) continue
    await kafka.admin.alterTopicConfigs(topic, seal)
    log.info({ topic }, 'complete and sealed until maxbrod finalize')
  }
}
