import type { KafkaRecord } from '../format/batch/records.ts'
import { abortable } from '../runtime/aborted.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { KafkaError, endingOf } from './kafka-errors.ts'
import type { Kafka } from './port.ts'
import type { OffsetKind } from './port/admin.ts'
import type { ReadRecord } from './port/fetching.ts'

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
  /** True when the broker gave it the time of the append. */
  readonly isAppendTime: boolean
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
    const asked = (['log start', 'high watermark', 'log end'] as const).map(kind => offsetOf(kafka, kind, partition))
    const [logStart = 0, watermark, logEnd = 0] = await abortable(Promise.all(asked), signal)
    if (watermark === logEnd) {
      try {
        return { logStart, logEnd, last: await lastDataRecord(kafka, partition, logStart, logEnd, signal) }
      } catch (error) {
        if (!isOutOfRange(error)) throw error // else the log was cut meanwhile: look again
      }
    }
    if (clock.monotonic() - startedAt > deadlineMs) {
      const message = `${partitionName(partition)}: the records up to ${logEnd} are not replicated beyond ${watermark}`
      throw new MaxbrodError('KAFKA_GAVE_UP', message, {
        ...partition,
        hint: 'check the in-sync replicas of the partition',
      })
    }
    await clock.sleep(WAIT_MS, signal)
  }
}

async function offsetOf({ admin }: Kafka, kind: OffsetKind, partition: TopicPartition): Promise<number> {
  const { offsets, failed } = await admin.offsets(kind, [partition])
  const offset = offsets.get(partition)
  if (offset !== undefined) return offset
  const error = failed.get(partition) ?? 'UNKNOWN_SERVER_ERROR'
  throw endingOf(new KafkaError(error, 'ListOffsets'), `ask for the ${kind} of ${partitionName(partition)}`)
}

function isOutOfRange(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof KafkaError && cause.error === 'OFFSET_OUT_OF_RANGE'
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
    if (last !== undefined)
      return { offset: last.offset, sourceOffset: sourceOffsetOf(last), isAppendTime: last.isAppendTime }
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
