import { decompressPayload } from '../../format/batch/compression.ts'
import { batchesIn } from '../../format/batch/record-batch.ts'
import { recordsIn } from '../../format/batch/records.ts'
import { DecodeError } from '../../format/batch/varint.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { BatchFetcher, ReadRecord } from '../port.ts'
import type { ClusterView } from './cluster-view.ts'

const FETCH_BYTES = 1024 * 1024
const MAX_WAIT_MS = 500

/** The data records with `from` ≤ offset < `to`; see Kafka.readRecords. */
export async function* readRecords(
  view: ClusterView,
  fetcher: BatchFetcher,
  partition: TopicPartition,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<ReadRecord> {
  for (let position = from; position < to;) {
    signal.throwIfAborted()
    const { records, nextOffset } = await view.ask(
      `read ${partitionName(partition)}`,
      () => readOnce(view, fetcher, partition, position),
      signal,
    )
    for (const record of records) if (record.offset >= position && record.offset < to) yield record
    position = Math.max(position, nextOffset)
  }
}

/** The records of one fetch, copied out of its buffer, and where the next one begins. */
async function readOnce(
  view: ClusterView,
  fetcher: BatchFetcher,
  partition: TopicPartition,
  offset: number,
): Promise<{ records: ReadRecord[]; nextOffset: number }> {
  if (view.leader(partition) === undefined) await view.refresh([partition.topic])
  const leader = view.leader(partition)
  if (leader === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE', 'Fetch', partitionName(partition))
  const request = {
    topic: partition.topic,
    partition: partition.partition,
    topicId: leader.topicId,
    offset,
    leaderEpoch: -1,
    maxBytes: FETCH_BYTES,
  }
  const options = { isolation: 'uncommitted', maxBytes: FETCH_BYTES, minBytes: 1, maxWaitMs: MAX_WAIT_MS } as const
  using answer = await fetcher.fetch(leader.nodeId, [request], options)
  const [fetched] = answer.partitions
  if (fetched === undefined)
    throw new KafkaError('UNKNOWN_SERVER_ERROR', 'Fetch', `${partitionName(partition)} is missing in the answer`)
  if (fetched.trouble !== undefined) {
    if (fetched.trouble.kind === 'moved') await view.refresh([partition.topic])
    throw new KafkaError(fetched.trouble.name, 'Fetch', partitionName(partition))
  }
  try {
    return await copyRecords(fetched.records, offset, fetched.highWatermark)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    fetcher.reconnect(leader.nodeId)
    throw new MaxbrodError('BATCH_CORRUPT', `${partitionName(partition)} at offset ${offset}: ${error.message}`, {
      ...partition,
      offset,
      cause: error,
    })
  }
}

async function copyRecords(
  bytes: Buffer,
  offset: number,
  highWatermark: number,
): Promise<{ records: ReadRecord[]; nextOffset: number }> {
  const records: ReadRecord[] = []
  let nextOffset = offset
  for (const batch of batchesIn(Buffer.from(bytes))) {
    batch.check()
    nextOffset = batch.nextOffset
    if (batch.isControl || batch.recordCount === 0) continue
    const { producerId } = batch
    for (const record of recordsIn(batch, await decompressPayload(batch.codec, batch.payload)))
      records.push({ ...record, producerId })
  }
  // A fetch of one partition that brings nothing below the high watermark: compaction took all that was there.
  if (bytes.length === 0 && offset < highWatermark) nextOffset = highWatermark
  return { records, nextOffset }
}
