import type { KafkaRecord } from '../format/batch/records.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { Kafka, OffsetKind, ReadRecord } from './port.ts'

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

export interface TailDeps {
  readonly kafka: Kafka
  readonly clock: Clock
  /** How long followers may take to catch up. */
  readonly deadlineMs: number
}

const WAIT_MS = 100

/**
 * Reads where a partition ends and its last data record. Waits until all that the leader has is replicated, so that the end
 * cannot move back by a mere change of leader. Throws KAFKA_GAVE_UP when that does not come about before the deadline.
 */
export async function readTail(
  { kafka, clock, deadlineMs }: TailDeps,
  partition: TopicPartition,
  signal: AbortSignal,
): Promise<PartitionTail> {
  const startedAt = clock.monotonic()
  for (;;) {
    signal.throwIfAborted()
    const [logStart, watermark, logEnd] = await Promise.all([
      offsetOf(kafka, 'log start', partition),
      offsetOf(kafka, 'high watermark', partition),
      offsetOf(kafka, 'log end', partition),
    ])
    if (watermark === logEnd)
      return { logStart, logEnd, last: await lastDataRecord(kafka, partition, logStart, logEnd, signal) }
    if (clock.monotonic() - startedAt > deadlineMs) {
      throw new MaxbrodError(
        'KAFKA_GAVE_UP',
        `${partitionName(partition)}: the records up to ${logEnd} are not replicated beyond ${watermark}`,
        {
          ...partition,
          hint: 'check the in-sync replicas of the partition',
        },
      )
    }
    await clock.sleep(WAIT_MS, signal)
  }
}

async function offsetOf(kafka: Kafka, kind: OffsetKind, partition: TopicPartition): Promise<number> {
  const { offsets, failed } = await kafka.admin.offsets(kind, [partition])
  const offset = offsets.get(partition)
  if (offset !== undefined) return offset
  const reason = failed.get(partition) ?? 'no answer'
  throw new MaxbrodError('KAFKA_GAVE_UP', `cannot tell the ${kind} of ${partitionName(partition)}: ${reason}`, {
    ...partition,
  })
}

/** Walks back from the end over what holds no data: transaction markers, and what compaction took away. */
async function lastDataRecord(
  kafka: Kafka,
  partition: TopicPartition,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<TailRecord | undefined> {
  for (let step = 1, to = end; to > start; step *= 2) {
    const from = Math.max(start, to - step)
    let last: ReadRecord | undefined
    for await (const record of kafka.readRecords(partition, from, to, signal)) last = record
    if (last !== undefined) return { offset: last.offset, sourceOffset: sourceOffsetOf(last) }
    to = from
  }
  return undefined
}

/** The source offset that a restored record carries: the last header of that name counts. */
export function sourceOffsetOf({ headers }: Pick<KafkaRecord, 'headers'>): number | undefined {
  const header = headers.findLast(({ key }) => key.toString('latin1') === SOURCE_OFFSET)
  const text = header?.value?.toString('latin1') ?? ''
  const offset = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(offset) ? offset : undefined
}
