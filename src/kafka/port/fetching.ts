import type { AbortedTransaction } from '../../format/batch/aborted.ts'
import type { KafkaRecord } from '../../format/batch/records.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { Trouble } from './trouble.ts'

export interface BatchFetcher {
  /**
   * One fetch request to one broker, for partitions that it leads. Answers partition by partition: an error of one does not
   * touch the others. The records are slices of one buffer: dispose of the answer when done with all of them.
   * A failed request rejects with KafkaError; nothing was lost.
   */
  fetch(nodeId: number, partitions: readonly FetchPartition[], options: FetchOptions): Promise<FetchedBatches>
  /** Drops the connection to a broker, so that the next fetch comes over a new one. */
  reconnect(nodeId: number): void
}

export interface FetchPartition extends TopicPartition {
  readonly topicId: string | undefined
  readonly offset: number
  /** −1 when unknown; else the broker refuses when it knows another one. */
  readonly leaderEpoch: number
  /**
   * Leader epoch of what lies before `offset` in what was fetched; −1 or missing when unknown. Brokers from Kafka 2.7 on
   * answer with `diverging` when their log has another history there.
   */
  readonly lastFetchedEpoch?: number
  readonly maxBytes: number
}

export interface FetchOptions {
  /** `committed` ends at the last stable offset and lists aborted transactions; it filters nothing. */
  readonly isolation: 'committed' | 'uncommitted'
  /** For the whole answer; a single larger batch comes all the same. */
  readonly maxBytes: number
  readonly minBytes: number
  readonly maxWaitMs: number
}

export interface FetchedBatches extends Disposable {
  readonly partitions: readonly FetchedPartition[]
  /** Size of the buffer behind the records. */
  readonly bytes: number
}

export interface FetchedPartition extends TopicPartition {
  /** False when the broker only knows topics by name (before Kafka 3.1): it may be another topic of that name by now. */
  readonly isNamedById: boolean
  readonly trouble: Trouble | undefined
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /**
   * The log is not the one that was fetched: an unclean leader election cut it. It has the records of `leaderEpoch`, the
   * largest one up to `lastFetchedEpoch`, up to `endOffset`. There are no records then.
   */
  readonly diverging?: { readonly leaderEpoch: number; readonly endOffset: number } | undefined
  /** Whole record batches, and maybe a partial one at the end. Empty may also mean that the answer's budget was spent. */
  readonly records: Buffer
}

export interface ReadRecord extends KafkaRecord {
  /** −1 when the producer was not idempotent. */
  readonly producerId: bigint
  /** True when the broker gave it the time of the append. */
  readonly isAppendTime: boolean
}
