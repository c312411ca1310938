import { decompressPayload } from '../../format/batch/compression.ts'
import { MagicError, batchesIn } from '../../format/batch/record-batch.ts'
import type { RecordBatch } from '../../format/batch/record-batch.ts'
import { recordsIn } from '../../format/batch/records.ts'
import { sourceOffsetsIn } from '../../format/batch/source-offsets.ts'
import type { SourceOffset } from '../../format/batch/source-offsets.ts'
import { DecodeError } from '../../format/batch/varint.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { BatchFetcher, FetchedPartition, ReadRecord } from '../port/fetching.ts'
import type { Leader } from '../port.ts'
import type { ClusterView } from './cluster-view.ts'
import { listOffsets } from './list-offsets.ts'

const FETCH_BYTES = 1024 * 1024
const MAX_WAIT_MS = 500
/** Bytes may be damaged on their way: so often they are fetched again over a new connection. */
const RETRIES = 3
/** Empty answers where there should be something, before it is passed over. */
const EMPTY_ANSWERS = 2

/** What is made of a batch with data. */
type Decode<R> = (batch: RecordBatch, payload: Buffer) => Iterable<R>

interface Source<R> {
  readonly view: ClusterView
  readonly fetcher: BatchFetcher
  readonly partition: TopicPartition
  /** How much to fetch; a broker sends one whole batch at least. */
  readonly bytes: number
  readonly decode: Decode<R>
}

interface Read<R> {
  readonly records: readonly R[]
  /** Where the next fetch begins. */
  readonly nextOffset: number
}

interface Answer<R> extends Read<R> {
  /** The high watermark, of an answer without a byte although it lies higher. */
  readonly emptyBelow: number | undefined
}

/** The data records with `from` ≤ offset < `to`; see Kafka.readRecords. */
export async function* readRecords(
  view: ClusterView,
  fetcher: BatchFetcher,
  partition: TopicPartition,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<ReadRecord> {
  const source = { view, fetcher, partition, bytes: FETCH_BYTES, decode: wholeRecords }
  for (let position = from; position < to;) {
    const read = () => readChecked(source, position)
    const { records, nextOffset } = await view.ask(`read ${partitionName(partition)}`, read, signal)
    for (const record of records) if (record.offset >= position && record.offset < to) yield record
    position = nextOffset
  }
}

/** The first batch with data records that ends behind `offset`; see Kafka.readSourceOffsets. */
export async function readSourceOffsets(
  view: ClusterView,
  fetcher: BatchFetcher,
  partition: TopicPartition,
  offset: number,
  to: number,
  signal: AbortSignal,
): Promise<readonly SourceOffset[]> {
  const source = { view, fetcher, partition, bytes: 1, decode: sourceOffsetsIn }
  for (let position = offset; position < to;) {
    const read = () => readChecked(source, position)
    const { records, nextOffset } = await view.ask(`read ${partitionName(partition)}`, read, signal)
    const next = records.find(record => record.offset >= offset)
    if (next !== undefined) return next.offset < to ? records : []
    position = nextOffset
  }
  return []
}

/**
 * The records at an offset; fetched again when they are damaged, and when there are none although there should be. Throws
 * BATCH_CORRUPT when they stay damaged.
 */
async function readChecked<R>(source: Source<R>, offset: number): Promise<Read<R>> {
  const { view, partition } = source
  const emptyBelow: number[] = []
  for (let retries = 0; ;) {
    const leader = await leaderOf(view, partition)
    try {
      const answer = await readOnce(source, leader, offset)
      if (answer.emptyBelow === undefined) return answer
      emptyBelow.push(answer.emptyBelow)
      if (emptyBelow.length < EMPTY_ANSWERS) continue
      await requireLocal(view, partition, offset)
      return { records: [], nextOffset: Math.min(...emptyBelow) }
    } catch (cause) {
      if (!(cause instanceof DecodeError)) {
        await view.refresh([partition.topic]) // the leader may be another one now
        throw cause
      }
      source.fetcher.reconnect(leader.nodeId)
      const isOld = cause instanceof MagicError
      if (retries++ < RETRIES && !isOld) continue
      const message = `${partitionName(partition)} at offset ${offset}: ${cause.message}`
      throw new MaxbrodError(isOld ? 'BATCH_MAGIC' : 'BATCH_CORRUPT', message, { ...partition, offset, cause })
    }
  }
}

/**
 * Compaction may take all up to the end: then nothing comes from the leader's own disk. What lies in tiered storage is answered
 * with nothing, too, while that is slow or throttled, and must be asked for again.
 */
async function requireLocal(view: ClusterView, partition: TopicPartition, offset: number): Promise<void> {
  const { offsets } = await listOffsets(view, 'local log start', [partition])
  const localStart = offsets.get(partition)
  if (localStart !== undefined && localStart <= offset) return
  const detail = `${partitionName(partition)}: nothing comes from offset ${offset}, which is not on the leader's own disk`
  throw new KafkaError('OFFSET_NOT_AVAILABLE', 'Fetch', detail)
}

async function leaderOf(view: ClusterView, partition: TopicPartition): Promise<Leader> {
  if (view.leader(partition) === undefined) await view.refresh([partition.topic])
  const leader = view.leader(partition)
  if (leader === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE', 'Fetch', partitionName(partition))
  return leader
}

/** The records of one fetch, copied out of its buffer. */
async function readOnce<R>(
  { fetcher, partition: { topic, partition }, bytes: maxBytes, decode }: Source<R>,
  { nodeId, topicId }: Leader,
  offset: number,
): Promise<Answer<R>> {
  const request = { topic, partition, topicId, offset, leaderEpoch: -1, maxBytes }
  const options = { isolation: 'uncommitted', maxBytes, minBytes: 1, maxWaitMs: MAX_WAIT_MS } as const
  using answer = await fetcher.fetch(nodeId, [request], options)
  const [fetched] = answer.partitions
  const name = partitionName(request)
  // A broker that throttles us answers nothing.
  if (fetched === undefined)
    throw new KafkaError('THROTTLING_QUOTA_EXCEEDED', 'Fetch', `${name} is missing in the answer`)
  if (fetched.trouble !== undefined) throw new KafkaError(fetched.trouble.name, 'Fetch', name)
  return await copyRecords(fetched, offset, decode)
}

async function copyRecords<R>(
  { records: bytes, highWatermark }: FetchedPartition,
  offset: number,
  decode: Decode<R>,
): Promise<Answer<R>> {
  const records: R[] = []
  let nextOffset = offset
  for (const batch of batchesIn(Buffer.from(bytes))) {
    batch.check()
    nextOffset = Math.max(nextOffset, batch.nextOffset)
    if (batch.isControl || batch.recordCount === 0) continue
    for (const record of decode(batch, await decompressPayload(batch.codec, batch.payload))) records.push(record)
  }
  if (bytes.length > 0 && nextOffset === offset) throw new DecodeError('an answer with nothing from this offset on')
  const isEmpty = bytes.length === 0 && offset < highWatermark
  return { records, nextOffset, emptyBelow: isEmpty ? highWatermark : undefined }
}

function* wholeRecords(batch: RecordBatch, payload: Buffer): Generator<ReadRecord> {
  const { producerId, isAppendTime } = batch
  for (const record of recordsIn(batch, payload)) yield { ...record, producerId, isAppendTime }
}
