import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'

/** A topic that a restore writes to. */
export interface WantedTarget {
  readonly source: string
  readonly topic: string
  /** How many partitions the source had. */
  readonly partitions: number
  readonly definition: TopicDefinition | undefined
  /** The largest record, in its Avro form. */
  readonly recordBytesMax: number
  /** Of all records, in ms; undefined when there is none. */
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
}

export interface TargetOptions {
  readonly createTopics: boolean
  readonly append: boolean
  readonly hold: 'auto' | 'off'
  readonly partitionMap: 'same' | 'modulo'
}

/** What a record grows by: header `restore.source-offset`, lengths and deltas, and the header of its batch. */
export const RECORD_GROWTH_BYTES = 128
