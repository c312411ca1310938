import type { SourceOffset } from '../format/batch/source-offsets.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { ClusterAdmin } from './port/admin.ts'
import type { BatchAppender } from './port/appending.ts'
import type { BatchFetcher, ReadRecord } from './port/fetching.ts'
import type { GroupOptions, GroupSession } from './port/membership.ts'

/**
 * What maxbrod needs of a Kafka cluster. Record batches cross this seam as bytes; single records never do.
 *
 * Verbs that ask retry what is temporary (lost connections, moved leaders and coordinators) until their deadline and then
 * throw a MaxbrodError: KAFKA_UNREACHABLE, KAFKA_GAVE_UP, KAFKA_AUTH or KAFKA_PROTOCOL. The two verbs that move records,
 * `fetch` and `append`, never retry: what a lost answer means is for the caller to find out.
 */
export interface Kafka extends AsyncDisposable {
  readonly admin: ClusterAdmin
  readonly routes: Routes
  readonly fetcher: BatchFetcher
  /**
   * The data records with `from` ≤ offset < `to`, one by one, whatever became of their transactions: for small topics and
   * single records, not for bulk. Waits for records that are not there yet only if `to` is beyond the high watermark.
   */
  readRecords(partition: TopicPartition, from: number, to: number, signal: AbortSignal): AsyncIterable<ReadRecord>
  /**
   * The source offsets of all data records of the first batch that has one with `offset` ≤ its offset < `to`; what lies before
   * `offset` in that batch is among them. Empty when there is none. One small request, for a look into a restored log.
   */
  readSourceOffsets(
    partition: TopicPartition,
    offset: number,
    to: number,
    signal: AbortSignal,
  ): Promise<readonly SourceOffset[]>
  /** A fresh appender with connections of its own. */
  newAppender(): BatchAppender
  /** Joins a consumer group. Resolves once the member knows its first assignment; an abort before that rejects with its reason. */
  joinGroup(options: GroupOptions, signal?: AbortSignal): Promise<GroupSession>
  /** Members that were not closed are closed, and all connections go. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Leaders of partitions, from memory. */
export interface Routes {
  /** The leader as last heard; undefined when there is none, or the partition is not known. */
  leader(partition: TopicPartition): Leader | undefined
  /** Asks the cluster again about these topics. Never throws: without an answer, what was known stays. */
  refresh(topics: readonly string[]): Promise<void>
}

export interface Leader {
  readonly nodeId: number
  /** −1 when the broker does not tell. */
  readonly leaderEpoch: number
  readonly topicId: string | undefined
}
