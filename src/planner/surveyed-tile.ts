import type { Gap } from '../format/tile-header.ts'

/** A data file as its header describes it. */
export interface SurveyedTile {
  readonly key: string
  readonly etag: string
  readonly bytes: number
  readonly from: number
  readonly to: number
  /** Where the file as a whole begins, when only what lies from `from` on counts. */
  readonly wholeFrom: number | undefined
  /** Where the file as a whole ends, when only what lies below `to` counts: a later lineage begins there, or no more is wanted. */
  readonly wholeTo: number | undefined
  /** Leader epoch of the file's lineage; undefined for the first one. */
  readonly lineage: number | undefined
  readonly records: number
  /** The offset behind the last record; `from` when there is none. */
  readonly dataEnd: number
  readonly origin: number
  readonly gaps: readonly Gap[]
  /** Undefined for files of kafka-data-keep, which say nothing of it. */
  readonly clusterId: string | undefined
  readonly topicId: string | undefined
  readonly recordBytesMax: number
  /** Of its records, in ms; undefined when there is none. */
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
}
