import { DecodeError } from '../format/batch/varint.ts'
import { decodePlanEntry } from '../format/plan.ts'
import type { PlanEntry, PlanHead } from '../format/plan.ts'
import type { Kafka } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** An entry of a plan partition and where it stands: its offset is what is committed. */
export interface PlacedEntry {
  readonly offset: number
  readonly entry: PlanEntry
}

/** Reads the entries of a plan partition with `from` ≤ offset < `to`, without heads of planners that came second. */
export async function* readPlanEntries(
  kafka: Kafka,
  planTopic: string,
  partition: number,
  from: number,
  to: number,
  restoreId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<PlacedEntry> {
  for await (const record of kafka.readRecords({ topic: planTopic, partition }, from, to, signal)) {
    let entry: PlanEntry
    try {
      entry = decodePlanEntry(record.value)
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause
      throw new MaxbrodError(
        'PLAN_FOREIGN',
        `${planTopic}-${partition} holds at offset ${record.offset} ${cause.message}`,
        { cause, hint: 'name the topic that maxbrod plan wrote with --plan-topic' },
      )
    }
    if (entry.kind === 'head' && restoreId !== undefined && entry.restoreId !== restoreId) continue
    yield { offset: record.offset, entry }
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

/** How many partitions the plan topic has. Throws PLAN_NOT_FOUND, and PLAN_FOREIGN when somebody changed their number. */
export async function planPartitionsOf(kafka: Kafka, planTopic: string, heads: readonly PlanHead[]): Promise<number> {
  const [topic] = await kafka.admin.topics([planTopic])
  if (topic === undefined)
    throw new MaxbrodError('PLAN_NOT_FOUND', `there is no plan topic ${planTopic}`, { hint: 'run maxbrod plan first' })
  const planned = heads[0]?.planPartitions
  if (planned !== undefined && planned !== topic.partitions) {
    throw new MaxbrodError(
      'PLAN_FOREIGN',
      `${planTopic} has ${topic.partitions} partitions and was planned with ${planned}`,
      { hint: 'plan again into a new --plan-topic' },
    )
  }
  return topic.partitions
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
