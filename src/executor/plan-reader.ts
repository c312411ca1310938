import { DecodeError } from '../format/batch/varint.ts'
import { chainName } from '../format/plan.ts'
import { decodePlanEntry } from '../format/plan-records.ts'
import type { PlanEntry, PlanHead } from '../format/plan.ts'
import { planPartitionOf } from '../format/plan-partition.ts'
import { beginningGone } from '../format/plan-beginning.ts'
import { lostBeginning } from '../kafka/port/lost-beginning.ts'
import type { Kafka } from '../kafka/port.ts'
import type { ReadRecord } from '../kafka/port/fetching.ts'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** An entry of a plan partition and where it stands: its offset is what is committed. */
export interface PlacedEntry {
  readonly offset: number
  readonly entry: PlanEntry
}

/**
 * Reads the entries of a plan partition with `from` ≤ offset < `to`, without heads of planners that came second. `head` is
 * the one that counts; undefined to find it. Throws PLAN_FOREIGN for what no planner of this restore wrote.
 */
export async function* readPlanEntries(
  kafka: Kafka,
  planTopic: string,
  partition: number,
  from: number,
  to: number,
  head: PlanHead | undefined,
  signal: AbortSignal,
): AsyncGenerator<PlacedEntry> {
  const foreign = (offset: number, what: string, cause?: unknown) =>
    new MaxbrodError('PLAN_FOREIGN', `${planTopic}-${partition} holds at offset ${offset} ${what}`, {
      cause,
      hint: 'name the topic that maxbrod plan wrote with --plan-topic',
    })
  for await (const { offset, value, producerId } of readRecords(kafka, planTopic, partition, from, to, signal)) {
    let entry: PlanEntry
    try {
      entry = decodePlanEntry(value)
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause
      throw foreign(offset, cause.message, cause)
    }
    if (entry.kind === 'head' && head !== undefined && entry.restoreId !== head.restoreId) continue
    if (head !== undefined && head.producerId !== String(producerId))
      throw foreign(offset, 'a record of another producer')
    if (entry.kind === 'file' && head !== undefined) {
      const wanted = planPartitionOf(chainName(entry.target), head.planPartitions)
      if (wanted !== partition)
        throw foreign(offset, `a file of ${chainName(entry.target)}, which belongs to ${wanted}`)
    }
    yield { offset, entry }
  }
}

/** Throws PLAN_CORRUPT where the log does not go back to `from`: an answer that the offset is out of range says less. */
async function* readRecords(
  kafka: Kafka,
  planTopic: string,
  partition: number,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<ReadRecord> {
  const where = { topic: planTopic, partition }
  try {
    yield* kafka.readRecords(where, from, to, signal)
  } catch (error) {
    const start = await lostBeginning(kafka, where, from, error)
    throw start === undefined ? error : beginningGone(planTopic, partition, start)
  }
}

/** The heads of the restore: the first one in the log, and later ones of the same restore. Throws PLAN_NOT_FOUND. */
export async function readHeads(kafka: Kafka, planTopic: string, signal: AbortSignal): Promise<PlanHead[]> {
  const end = await endOf(kafka, planTopic, 0)
  const heads: PlanHead[] = []
  for await (const { entry } of readPlanEntries(kafka, planTopic, 0, 0, end, undefined, signal)) {
    if (entry.kind === 'head' && (heads[0] === undefined || heads[0].restoreId === entry.restoreId)) heads.push(entry)
  }
  if (heads.length === 0)
    throw new MaxbrodError('PLAN_NOT_FOUND', `${planTopic} holds no plan`, { hint: 'run maxbrod plan first' })
  return heads
}

/** The heads; read again where they lack one of the topics, of entries that were read later: a planner may have added targets. */
export async function headsWith(
  heads: readonly PlanHead[],
  topics: Iterable<string>,
  kafka: Kafka,
  planTopic: string,
  signal: AbortSignal,
): Promise<readonly PlanHead[]> {
  const named = new Set(heads.flatMap(({ targets }) => targets.map(({ topic }) => topic)))
  return [...topics].every(topic => named.has(topic)) ? heads : readHeads(kafka, planTopic, signal)
}

/** The head that counts. Throws PLAN_NOT_FOUND, and PLAN_FOREIGN when somebody changed the number of the plan's partitions. */
export async function checkPlanTopic(kafka: Kafka, planTopic: string, heads: readonly PlanHead[]): Promise<PlanHead> {
  const head = must(heads[0], 'head')
  const [topic] = await kafka.admin.topics([planTopic])
  if (topic === undefined)
    throw new MaxbrodError('PLAN_NOT_FOUND', `there is no plan topic ${planTopic}`, { hint: 'run maxbrod plan first' })
  if (head.planPartitions !== topic.partitions) throw resized(planTopic, topic.partitions, head)
  return head
}

/** Chains are spread by the number of partitions: with another number, a chain would go on somewhere else. */
export function resized(planTopic: string, actual: number, { planPartitions }: PlanHead): MaxbrodError {
  return new MaxbrodError(
    'PLAN_FOREIGN',
    `${planTopic} has ${actual} partitions and was planned with ${planPartitions}`,
    { hint: 'plan again into a new --plan-topic' },
  )
}

/** The end of a plan partition now. */
export async function endOf(kafka: Kafka, planTopic: string, partition: number): Promise<number> {
  const where = { topic: planTopic, partition }
  const { offsets, failed } = await kafka.admin.offsets('high watermark', [where])
  const end = offsets.get(where)
  if (end !== undefined) return end
  const reason = failed.get(where) ?? 'no answer'
  if (reason === 'UNKNOWN_TOPIC_OR_PARTITION')
    throw new MaxbrodError('PLAN_NOT_FOUND', `there is no plan topic ${planTopic}`, { hint: 'run maxbrod plan first' })
  throw new MaxbrodError('KAFKA_GAVE_UP', `cannot read ${planTopic}-${partition}: ${reason}`)
}
