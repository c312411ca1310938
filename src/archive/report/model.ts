import type { Segment, Status } from '../cover.ts'

/** What stands on a page, in words that are ready to be read. All of it may be of others: names, keys, reasons. */
export interface Page {
  readonly title: string
  readonly status: Status
  /** The one sentence for who reads only one. */
  readonly headline: string
  readonly facts: readonly Fact[]
  /** What somebody should look at, or know of the page. */
  readonly notes: readonly string[]
  readonly restore?: RestorePart | undefined
  readonly coverage?: CoveragePart | undefined
  readonly madeAtMs: number
  /** Program and version. */
  readonly writer: string
}

export interface Fact {
  readonly name: string
  readonly value: string
}

/** The topics, and what becomes of each of their partitions. */
export interface CoveragePart {
  readonly title: string
  /** What the strips show, and what that means here. */
  readonly legend: readonly { readonly kind: Segment['kind']; readonly says: string }[]
  /** What the cells of the partitions are. */
  readonly columns: readonly string[]
  readonly topics: readonly TopicPart[]
  /** The command that tells what does not fit onto the page. */
  readonly more: string
}

export interface TopicPart {
  readonly name: string
  readonly status: Status
  readonly says: string
  readonly partitions: readonly PartitionPart[]
  /** Ranges that are not found, and why. */
  readonly ranges: readonly string[]
}

export interface PartitionPart {
  readonly partition: number
  readonly status: Status
  readonly segments: readonly Segment[]
  /** One for each column; those that are missing at the end are empty. */
  readonly cells: readonly string[]
}

export interface RestorePart {
  readonly title: string
  readonly status: Status
  readonly says: string
  readonly recordsPlanned: number
  readonly recordsRestored: number
  readonly topics: readonly RestoredTopic[]
  /** What does not get on, and what was put aside. */
  readonly notes: readonly string[]
}

export interface RestoredTopic {
  readonly topic: string
  readonly partitions: string
  readonly recordsPlanned: number
  readonly recordsRestored: number
}
