/** What the commands of the referee take and answer; test/java/maxbrod says what each one means. */

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface TopicOptions {
  readonly partitions?: number
  readonly replicas?: number
  readonly configs?: Readonly<Record<string, string | number>>
}

/**
 * Settings of a topic that the cleaner works on at once. It leaves the last segment alone: a record that is appended
 * more than `segment.ms` after the others begins a new one.
 */
export const compactedTopic = {
  'cleanup.policy': 'compact',
  'segment.ms': 100,
  'min.cleanable.dirty.ratio': 0,
  'min.compaction.lag.ms': 0,
  'max.compaction.lag.ms': 1,
} as const

export interface TopicDescription {
  readonly topicId: string
  readonly partitions: readonly {
    readonly partition: number
    readonly leader: number
    readonly replicas: readonly number[]
    readonly inSync: readonly number[]
  }[]
  /** Only what differs from the broker's defaults. */
  readonly configs: Readonly<Record<string, string>>
}

export interface ConfigChanges {
  readonly set?: Readonly<Record<string, string | number>>
  readonly remove?: readonly string[]
}

/** Offsets are decimal text. */
export interface PartitionOffsets {
  readonly partition: number
  readonly start: string
  readonly lastStable: string
  readonly end: string
}

export interface GroupOffsetToCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata?: string
  readonly leaderEpoch?: number
}

export interface GroupOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly metadata: string
  readonly leaderEpoch: number | null
}

export interface ConsumerOptions {
  /** `classic` by default; `consumer` is KIP-848. */
  readonly protocol?: 'classic' | 'consumer'
  /** Further settings of Kafka's consumer. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** What a consumer of a group reads first in a partition. */
export interface NextRecord {
  readonly topic: string
  readonly partition: number
  readonly kind: 'record' | 'end' | 'no commit' | 'out of range'
  readonly offset?: string
  /** From the header `restore.source-offset`, the last one. */
  readonly sourceOffset?: string
  readonly value?: string | null
}

export interface ProducerOptions {
  readonly codec?: Codec
  /** What one batch may hold before compression; default 1 MiB. */
  readonly batchBytes?: number
  /** Further settings of Kafka's producer. */
  readonly settings?: Readonly<Record<string, string | number>>
}

export interface OpenOptions extends ProducerOptions {
  readonly transactionalId?: string
  /** How long the broker lets a transaction be open. */
  readonly timeoutMs?: number
}

/** Where a record went. */
export interface Place {
  readonly partition: number
  readonly offset: string
}

export interface GenerateOptions extends ProducerOptions {
  readonly seed?: number
  readonly keyBytes?: readonly [min: number, max: number]
  /** How many different keys. */
  readonly keys?: number
  readonly nullKeyPercent?: number
  readonly valueBytes?: readonly [min: number, max: number]
  readonly tombstonePercent?: number
  readonly headers?: readonly [min: number, max: number]
  readonly timestampFrom?: number
  readonly timestampStep?: number
  readonly timestampJitter?: number
  /** Partitions get as many each; otherwise chance decides. */
  readonly isEven?: boolean
}

export interface Generated {
  readonly partition: number
  readonly records: number
  /** Digest of the records' contents, in order, without offsets. */
  readonly content: string
}

export interface ReadOptions {
  readonly partitions?: readonly number[]
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** The last header of each record says its source offset: split it off, and take it into the digest. */
  readonly restored?: boolean
  /** Where to begin, by partition; default the start of the log. */
  readonly from?: Readonly<Record<number, number>>
  /** Writes the canonical records to this file, one JSON line each. */
  readonly file?: string
}

export interface PartitionRead extends Generated {
  /** The range of offsets read, closed-open. */
  readonly start: string
  readonly end: string
  /** Of the first and the last record; -1 without any. */
  readonly first: string
  readonly last: string
  /** Digest with offsets; of a restored topic, with source offsets. */
  readonly digest: string
  /** Of a restored topic: source offsets of the first and the last record, and records that have none or go back. */
  readonly sourceFirst?: string
  readonly sourceLast?: string
  readonly strays?: number
}
