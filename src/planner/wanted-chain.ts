import type { PartitionPlace } from '../format/keys.ts'
import type { PlanFile } from '../format/plan.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

/**
 * The files of one source partition, in the order in which they are restored. Those with the same target follow each other, in
 * the order of their list: they form one chain of the plan.
 */
export interface WantedChain {
  readonly source: PartitionPlace & { readonly sourceTopicId: string | undefined }
  readonly target: PlanFile['target']
  readonly tiles: readonly SurveyedTile[]
  /** Which other sources the target partition may have. */
  readonly joins: Joins
}

export interface Joins {
  readonly partitions: boolean
  readonly incarnations: boolean
}
