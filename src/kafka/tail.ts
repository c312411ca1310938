import { DecodeError } from '../format/batch/varint.ts'
import { decompressPayload } from '../format/batch/compression.ts'
import { batchesIn } from '../format/batch/record-batch.ts'
import { recordsIn } from '../format/batch/records.ts'
import type { KafkaRecord } from '../format/batch/records.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { KafkaError, isTemporary } from './kafka-errors.ts'
import type { Kafka } from './port.ts'

/** The header that tells which source offset a restored record had. */
export const SOURCE_OFFSET = 'restore.source-offset'

export interface PartitionTail {
  readonly logStart: number
  readonly logEnd: number
  /** The last data record, or undefined when there is none between log start and log end. */
  readonly last: TailRecord | undefined
}

export interface TailRecord {
  readonly offset: number
  /** From the last header `restore.source-offset`; undefined when there is none that is a whole number. */
  readonly sourceOffset: number | undefined
}

const WAIT_MS = 100
const FETCH_BYTES = 1024 * 1024

/**
 * Reads where a partition ends and its last data record. Waits until all that the leader has is replicated, so that the end
 * cannot move back by a mere change of leader. Throws KAFKA_GAVE_UP when that does not come about before the deadline.
 */
export async function readTail(
  kafka: Kafka,
  clock: Clock,
  partition: TopicPartition,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<PartitionTail> {
  const startedAt = clock.monotonic()
  for (;;) {
    signal.throwIfAborted()
    const [start, watermark, end] = await Promise.all([
      offsetOf(kafka, 'log start', partition),
      offsetOf(kafka, 'high watermark', partition),
      offsetOf(kafka, 'log end', partition),
    ])
    if (watermark === end) {
      const last = await lastDataRecord(kafka, clock, partition, start, end, deadlineMs, signal)
      return { logStart: start, logEnd: end, last }
    }
    if (clock.monotonic() - startedAt > deadlineMs) {
      throw new MaxbrodError(
        'KAFKA_GAVE_UP',
        `${partitionName(partition)}: the records up to ${end} are not replicated beyond ${watermark}`,
        {
          ...partition,
          hint: 'check the in-sync replicas of the partition',
        },
      )
    }
    await clock.sleep(WAIT_MS, signal)
  }
}

async function offsetOf(
  kafka: Kafka,
  kind: 'log start' | 'high watermark' | 'log end',
  partition: TopicPartition,
): Promise<number> {
  const { offsets, failed } = await kafka.admin.offsets(kind, [partition])
  const offset = offsets.get(partition)
  if (offset !== undefined) return offset
  throw new MaxbrodError(
    'KAFKA_GAVE_UP',
    `cannot tell the ${kind} of ${partitionName(partition)}: ${failed.get(partition) ?? 'no answer'}`,
    { ...partition },
  )
}

/** Walks back from the end over what holds no data: transaction markers, and what compaction took away. */
async function lastDataRecord(
  kafka: Kafka,
  clock: Clock,
  partition: TopicPartition,
  start: number,
  end: number,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<TailRecord | undefined> {
  for (let step = 1, to = end; to > start; step *= 2) {
    const from = Math.max(start, to - step)
    const last = await lastRecordIn(kafka, clock, partition, from, to, deadlineMs, signal)
    if (last !== undefined) return { offset: last.offset, sourceOffset: sourceOffsetOf(last) }
    to = from
  }
  return undefined
}

/** The last data record with `from` ≤ offset < `to`. */
async function lastRecordIn(
  kafka: Kafka,
  clock: Clock,
  partition: TopicPartition,
  from: number,
  to: number,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<KafkaRecord | undefined> {
  const startedAt = clock.monotonic()
  let last: KafkaRecord | undefined
  for (let position = from; position < to;) {
    signal.throwIfAborted()
    try {
      const leader = kafka.routes.leader(partition)
      if (leader === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE', 'Fetch')
      const request = {
        ...partition,
        topicId: leader.topicId,
        offset: position,
        leaderEpoch: -1,
        maxBytes: FETCH_BYTES,
      }
      using answer = await kafka.fetcher.fetch(leader.nodeId, [request], {
        isolation: 'uncommitted',
        maxBytes: FETCH_BYTES,
        minBytes: 1,
        maxWaitMs: 500,
      })
      const [fetched] = answer.partitions
      if (fetched?.trouble !== undefined) throw new KafkaError(fetched.trouble.name, 'Fetch', partitionName(partition))
      const before = position
      for (const batch of batchesIn(fetched?.records ?? Buffer.alloc(0))) {
        batch.check()
        position = Math.max(position, batch.nextOffset)
        if (batch.isControl || batch.recordCount === 0) continue
        for (const record of recordsIn(batch, await decompressPayload(batch.codec, batch.payload))) {
          // A copy: the answer's buffer is used again.
          if (record.offset >= from && record.offset < to)
            last = {
              ...record,
              headers: record.headers.map(({ key, value }) => ({
                key: Buffer.from(key),
                value: value === null ? null : Buffer.from(value),
              })),
            }
        }
      }
      if (position === before) return last
    } catch (error) {
      const isWorthRetrying = (error instanceof KafkaError && isTemporary(error.error)) || error instanceof DecodeError
      if (!isWorthRetrying || clock.monotonic() - startedAt > deadlineMs) throw error
      await kafka.routes.refresh([partition.topic])
      await clock.sleep(WAIT_MS, signal)
    }
  }
  return last
}

/** The source offset that a restored record carries: the last header of that name counts. */
export function sourceOffsetOf({ headers }: Pick<KafkaRecord, 'headers'>): number | undefined {
  const header = headers.findLast(({ key }) => key.toString('latin1') === SOURCE_OFFSET)
  const text = header?.value?.toString('latin1') ?? ''
  const offset = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(offset) ? offset : undefined
}
