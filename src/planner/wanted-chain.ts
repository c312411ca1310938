import type { PartitionPlace } from '../format/keys.ts'
import type { PlanFile } from '../format/plan.ts'
import type { SurveyedTile } from './survey.ts'

/** The files of one target partition, in the order in which they are restored. */
export interface WantedChain {
  readonly source: PartitionPlace & { readonly sourceTopicId: string | undefined }
  readonly target: PlanFile['target']
  readonly tiles: readonly SurveyedTile[]
}
