/** What is wrong with an archive. Each finding names an object or a range of offsets. */
export interface Finding {
  readonly kind: FindingKind
  /** Undefined for what belongs to all topics, such as a group snapshot. */
  readonly topic: string | undefined
  readonly partition: number | undefined
  /** The file, if it is about one. */
  readonly key: string | undefined
  /** The offsets that it is about, closed-open; undefined when nobody can tell. */
  readonly from: number | undefined
  readonly to: number | undefined
  /** A sentence for people. */
  readonly says: string
}

export type FindingKind =
  /** Not what name, header, facts and checksums say. */
  | 'damaged'
  /** Belongs to another cluster, topic or history than its neighbours. */
  | 'foreign'
  /** No file covers these offsets, and files before and behind are there. */
  | 'hole'
  /** The files of the first offsets are not there, and no prune says so. */
  | 'head'
  /** Two files cover these offsets. */
  | 'overlap'
  /** Was there when it was verified before. */
  | 'gone'
  /** Had other bytes when it was verified before. */
  | 'replaced'

/** Of what belongs to all topics. */
export const nowhere = { topic: undefined, partition: undefined, from: undefined, to: undefined }
