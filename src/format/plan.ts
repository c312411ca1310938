/**
 * The records of a plan topic (docs/formats.md, "Plan"). A restore is its plan topic: the first head record fixes what is
 * restored where and under which producer id; file records say in which order; end records say that a plan is complete.
 */
export type PlanEntry = PlanHead | PlanFile | PlanEnd

export interface PlanHead {
  readonly kind: 'head'
  readonly restoreId: string
  /** Who appends, to the targets and to the plan topic. Decimal text: it is an int64. */
  readonly producerId: string
  readonly planPartitions: number
  /** What the planner of the head was asked for: regexes of whole names. A later run may be asked for more. */
  readonly selection: PlanSelection
  readonly mapping: PlanMapping
  /** Undefined for backups that do not name their cluster (kafka-data-keep). */
  readonly sourceClusterId: string | undefined
  readonly targetClusterId: string
  readonly hold: 'auto' | 'off'
  /** What to put back for all brokers when the restore is finalized: value, or null for none. */
  readonly brokerDefaults: ConfigValues
  /** The targets that this head adds; a later head of the same restore adds more. */
  readonly targets: readonly PlanTarget[]
}

export interface PlanSelection {
  readonly topics: readonly string[]
  readonly excludeTopics: readonly string[]
}

/** How topic names become target names. */
export interface PlanMapping {
  readonly targetPrefix: string
  /** Source and target names. */
  readonly rename: readonly (readonly [source: string, target: string])[]
  readonly partitionMap: 'same' | 'modulo'
}

export type ConfigValues = Readonly<Record<string, string | null>>

export interface PlanTarget {
  readonly topic: string
  /** Undefined for brokers without topic ids. */
  readonly topicId: string | undefined
  /** True when the planner created the topic. */
  readonly created: boolean
  /** What finalize sets, of the configs that were changed to keep the target safe: value, or null for none. */
  readonly finalConfigs: ConfigValues
  /** By partition: log end before the first restored record. */
  readonly baseOffsets: readonly number[]
}

/** One file of a chain; the files of a chain are restored in the order of their index. */
export interface PlanFile {
  readonly kind: 'file'
  readonly planId: string
  readonly source: { readonly topic: string; readonly topicId: string | undefined; readonly partition: number }
  readonly target: { readonly topic: string; readonly partition: number }
  readonly object: { readonly key: string; readonly etag: string; readonly bytes: number }
  readonly covers: { readonly from: number; readonly to: number }
  /** Records that the file, or its slice, gives. */
  readonly records: number
  /** Records of the chain before this file. */
  readonly recordsBefore: number
  /** Source offset of the last of these records; undefined when there is none. */
  readonly lastOffset: number | undefined
  /** When only a part of the file is wanted: source offsets, closed-open. */
  readonly slice: { readonly fromOffset: number; readonly toOffset: number } | undefined
  readonly index: number
}

/** Closes a planner's run in one plan partition: a partition whose last record is another one is still being written. */
export interface PlanEnd {
  readonly kind: 'end'
  readonly planId: string
  /** Of the target partitions planned here, by chain: index of the last file, and how many records there are in all. */
  readonly partitions: Readonly<Record<string, { readonly index: number; readonly records: number }>>
}

/** The chain that a target partition's files form: the key of its plan records. */
export function chainName({ topic, partition }: PlanFile['target']): string {
  return `${topic}-${partition}`
}
