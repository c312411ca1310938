import type { Divergence } from '../resume/lineage.ts'
import type { RotationLimits } from '../chain/rotation.ts'
import type { ChainDeps } from '../chain/chain-deps.ts'

export interface PartitionOptions extends RotationLimits {
  readonly idleAfter: number
  readonly onCorrupt: 'stop' | 'gap'
}

export interface PartitionDeps extends Omit<
  ChainDeps,
  'onMoved' | 'onTrouble' | 'isSameTopic' | 'leaderEpoch' | 'lastEpoch'
> {
  /** True while nothing may be read, because there is no room for it. */
  readonly isDiskFull: () => boolean
  readonly onRecords: (records: number, bytes: number) => void
  /** An upload failed. Waits if there is a point in it; `give up` when the whole worker ends. */
  readonly onTrouble: (error: unknown) => Promise<Verdict>
  /** The partition cannot go on; the others do. Told once. */
  readonly onStopped: (error: unknown) => void
  /** The topic was deleted and created again. */
  readonly onTopicReplaced: () => void
  /** Kafka's log is not the one that was read: the partition must find its place anew. Told once. */
  readonly onDiverged: (divergence: Divergence) => void
}

/** What becomes of a partition after trouble. */
export type Verdict = 'try again' | 'stop' | 'give up'
