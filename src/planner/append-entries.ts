import { BatchBuilder } from '../format/batch/batch-builder.ts'
import { integerBytes, writeInteger } from '../format/batch/varint.ts'
import { encodePlanEntry } from '../format/plan.ts'
import type { PlanEntry, PlanRecord } from '../format/plan.ts'
import type { BatchAppender, Kafka } from '../kafka/port.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** Entries of one batch: far below any broker's limit. */
const BATCH_ENTRIES = 500
const SEQUENCES = 2 ** 31
const PAUSE_MS = 200

export interface PlanProducer {
  readonly producerId: bigint
  readonly topicsSha: string
}

/** Where the next record of the plan's producer goes in a plan partition. */
export interface AppendPoint {
  readonly planTopic: string
  readonly partition: number
  readonly logEnd: number
  /** Records of this producer that are there. */
  readonly ours: number
}

/**
 * Appends entries to a plan partition by compare-and-append: the broker takes them only if nobody else has added to the plan
 * since `point` was read. Resolves `appended` when all are there as far as this planner can tell, `read again` when another
 * planner was faster or an answer is missing: then nothing is known but what the topic says.
 */
export async function appendEntries(
  { clock }: { readonly kafka: Kafka; readonly clock: Clock },
  appender: BatchAppender,
  { producerId, topicsSha }: PlanProducer,
  point: AppendPoint,
  entries: readonly PlanEntry[],
): Promise<'appended' | 'read again'> {
  const { planTopic: topic, partition } = point
  let { logEnd, ours } = point
  for (let at = 0; at < entries.length; at += BATCH_ENTRIES) {
    const group = entries.slice(at, at + BATCH_ENTRIES)
    const records = group.map(entry => encodePlanEntry(entry, topicsSha))
    const batch = await encodeBatch(records, clock.now(), producerId, ours % SEQUENCES)
    const answer = await appender.append({ topic, partition, batch, mayWrite: () => true })
    if (answer.kind === 'refused' && !['sequence', 'moved', 'temporary'].includes(answer.trouble.kind)) {
      throw new MaxbrodError(
        answer.trouble.kind === 'denied' ? 'KAFKA_AUTH' : 'KAFKA_PROTOCOL',
        `cannot write the plan to ${topic}-${partition}: ${answer.trouble.name}`,
        { topic, partition },
      )
    }
    if (answer.kind !== 'acknowledged' || answer.baseOffset !== logEnd) {
      await clock.sleep(PAUSE_MS)
      return 'read again'
    }
    logEnd += group.length
    ours += group.length
  }
  return 'appended'
}

async function encodeBatch(
  records: readonly PlanRecord[],
  timestampMs: number,
  producerId: bigint,
  baseSequence: number,
): Promise<Buffer> {
  const builder = new BatchBuilder(new BufferPool(0), 64 * 1024)
  for (const { key, value, headers } of records) {
    const fields = [key, value, ...headers.flatMap(header => [header.key, header.value])]
    const bodyBytes = fields.reduce((sum, field) => sum + fieldBytes(field), integerBytes(headers.length))
    let at = builder.begin(timestampMs, bodyBytes)
    at = writeField(builder.bytes, at, key)
    at = writeField(builder.bytes, at, value)
    at = writeInteger(builder.bytes, at, headers.length)
    for (const header of headers) {
      at = writeField(builder.bytes, at, header.key)
      at = writeField(builder.bytes, at, header.value)
    }
    builder.length = at
  }
  return builder.finish('none', { producerId, producerEpoch: 0, baseSequence })
}

function fieldBytes(field: Buffer | null): number {
  return field === null ? 1 : integerBytes(field.length) + field.length
}

function writeField(out: Buffer, at: number, field: Buffer | null): number {
  if (field === null) return writeInteger(out, at, -1)
  const contentAt = writeInteger(out, at, field.length)
  return contentAt + field.copy(out, contentAt)
}
