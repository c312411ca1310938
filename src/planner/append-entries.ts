import { BatchBuilder } from '../format/batch/batch-builder.ts'
import { BATCH_HEADER_BYTES } from '../format/batch/record-batch.ts'
import { integerBytes, writeInteger } from '../format/batch/varint.ts'
import { encodePlanEntry } from '../format/plan-records.ts'
import type { PlanEntry } from '../format/plan.ts'
import type { PlanRecord } from '../format/plan-records.ts'
import { grantOnTopic } from '../kafka/port/acl-command.ts'
import type { BatchAppender } from '../kafka/port/appending.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** What one batch holds: far below any broker's limit, unless a single entry is larger. */
const BATCH_ENTRIES = 500
const BATCH_BYTES = 512 * 1024
/** At most, of a record's length, attributes and deltas, and of what the builder wants free behind it. */
const RECORD_START_BYTES = 32
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
 * since `point` was read. Resolves with undefined when all are there as far as this planner can tell; with the reason why
 * not, when another planner was faster or an answer is missing: then nothing is known but what the topic says.
 */
export async function appendEntries(
  { clock }: { readonly clock: Clock },
  appender: BatchAppender,
  { producerId, topicsSha }: PlanProducer,
  point: AppendPoint,
  entries: Iterable<PlanEntry>,
): Promise<string | undefined> {
  const { planTopic: topic, partition } = point
  let { logEnd, ours } = point
  for (const records of batched(entries, topicsSha)) {
    const batch = await encodeBatch(records, clock.now(), producerId, ours % SEQUENCES)
    const answer = await appender.append({ topic, partition, batch, mayWrite: () => true })
    if (answer.kind === 'refused' && !['sequence', 'moved', 'temporary'].includes(answer.trouble.kind)) {
      const isDenied = answer.trouble.kind === 'denied'
      throw new MaxbrodError(
        isDenied ? 'KAFKA_AUTH' : 'KAFKA_PROTOCOL',
        `cannot write the plan to ${topic}-${partition}: ${answer.trouble.name}`,
        { topic, partition, hint: isDenied ? grantOnTopic(['Describe', 'Read', 'Write'], topic) : undefined },
      )
    }
    if (answer.kind !== 'acknowledged' || answer.baseOffset !== logEnd) {
      await clock.sleep(PAUSE_MS)
      if (answer.kind === 'acknowledged') return `the records went to offset ${answer.baseOffset}, not ${logEnd}`
      return answer.kind === 'refused' ? answer.trouble.name : answer.reason
    }
    logEnd += records.length
    ours += records.length
  }
  return undefined
}

/** Encodes as it goes: all entries of a large plan at once would not fit. */
function* batched(entries: Iterable<PlanEntry>, topicsSha: string): Generator<readonly PlanRecord[]> {
  let group: PlanRecord[] = []
  let bytes = 0
  for (const entry of entries) {
    const record = encodePlanEntry(entry, topicsSha)
    const more = recordBytes(record)
    if (group.length === BATCH_ENTRIES || (group.length > 0 && bytes + more > BATCH_BYTES)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(record)
    bytes += more
  }
  if (group.length > 0) yield group
}

async function encodeBatch(
  records: readonly PlanRecord[],
  timestampMs: number,
  producerId: bigint,
  baseSequence: number,
): Promise<Buffer> {
  // Room for all of them at once: a buffer that grows leaves its smaller selves to the garbage collector.
  const room = records.reduce((sum, record) => sum + recordBytes(record) + RECORD_START_BYTES, BATCH_HEADER_BYTES)
  const builder = new BatchBuilder(new BufferPool(0), room)
  for (const record of records) {
    const { key, value, headers } = record
    let at = builder.begin(timestampMs, recordBytes(record))
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

function recordBytes({ key, value, headers }: PlanRecord): number {
  const fields = [key, value, ...headers.flatMap(header => [header.key, header.value])]
  return fields.reduce((sum, field) => sum + fieldBytes(field), integerBytes(headers.length))
}

function fieldBytes(field: Buffer | null): number {
  return field === null ? 1 : integerBytes(field.length) + field.length
}

function writeField(out: Buffer, at: number, field: Buffer | null): number {
  if (field === null) return writeInteger(out, at, -1)
  const contentAt = writeInteger(out, at, field.length)
  return contentAt + field.copy(out, contentAt)
}
