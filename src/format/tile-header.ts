import type { BatchCodec } from './batch/record-batch.ts'

/** Offsets that a tile covers although Kafka no longer had their records; closed-open. */
export interface Gap {
  readonly from: number
  readonly to: number
  readonly reason: GapReason
}

export const gapReasons = ['retention', 'corrupt-at-source'] as const
export type GapReason = (typeof gapReasons)[number]

export type TimestampType = 'create' | 'append' | 'mixed'

/** What the header of a data file says of it (docs/formats.md, "Data file"). */
export interface TileHeader {
  readonly clusterId: string
  readonly topic: string
  /** Undefined for brokers without topic ids. */
  readonly topicId: string | undefined
  readonly partition: number
  /** The tile: offsets `coversFrom` ≤ o < `coversTo`. */
  readonly coversFrom: number
  readonly coversTo: number
  /** First offset ever covered in this incarnation. */
  readonly origin: number
  readonly leaderEpoch: number
  readonly gaps: readonly Gap[]
  /** Program and version. */
  readonly writer: string
  readonly content: TileContent
  /** Only of files that were made of others. */
  readonly generation?: TileGeneration | undefined
}

/** What a file was made of that lies beside the originals. */
export interface TileGeneration {
  /** As in its key, without the `@`: `compacted/<utc>`. */
  readonly name: string
  /** The offsets that all its files of this partition cover together, closed-open. */
  readonly from: number
  readonly to: number
  /** How many files they were made of, and the SHA-256 over what is known of them: `sourcesHash`. */
  readonly sources: number
  readonly sourcesSha256: string
}

/** What is behind the header. Of a tile without records, only `blocksSha256` says something. */
export interface TileContent {
  readonly records: number
  readonly firstOffset: number | undefined
  readonly lastOffset: number | undefined
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
  readonly timestampType: TimestampType | undefined
  /** How the records were compressed in Kafka, as far as one word can say it: a restored topic should not be larger. */
  readonly batchCodec: BatchCodec | undefined
  /** Size of the largest record in its Avro form. */
  readonly recordBytesMax: number
  readonly blocks: number
  readonly blocksBytes: number
  readonly blocksSha256: string
}
