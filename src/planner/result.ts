import type { LeftOutTopic } from './left-out.ts'
import type { PreflightRow } from './preflight.ts'

/** What a planner did, for people and for programs. */
export interface PlanResult {
  readonly planTopic: string
  readonly planId: string
  readonly restoreId: string | undefined
  readonly isDryRun: boolean
  /** What all topics were cut by (--at), and the group snapshot that fits to it. */
  readonly restorationPoint:
    | { readonly at: string; readonly key: string; readonly groups: string | undefined }
    | undefined
  /** Partitions whose beginning is a compacted generation (--use-compacted). */
  readonly compacted: readonly { readonly partition: string; readonly generation: string }[]
  /** Files that this run added to the plan. */
  readonly filesAdded: number
  readonly topics: readonly PlannedTopic[]
  /** The targets as they were before this run. */
  readonly preflight: readonly PreflightRow[]
  /** Keys in the way that are no backup files. */
  readonly foreignKeys: number
  /** Encrypted files, which nobody here has a key for. */
  readonly encryptedFiles: number
  /** Topics of the selection that are not planned (--ignore-errors). */
  readonly leftOut: readonly LeftOutTopic[]
  /** What should be looked at, although the plan was made. */
  readonly warnings: readonly string[]
}

export interface PlannedTopic {
  readonly source: string
  readonly topicId: string | undefined
  readonly target: string
  readonly created: boolean
  readonly partitions: number
  readonly files: number
  readonly records: number
  readonly bytes: number
}
