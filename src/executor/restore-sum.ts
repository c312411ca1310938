import type { PlanFile } from '../format/plan.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'

/** One target partition as the cluster has it now. */
export interface ChainStatus extends TopicPartition {
  readonly recordsPlanned: number
  readonly recordsRestored: number
  /** The group has committed the plan past the chain's last file. */
  readonly isPassed: boolean
  /** The cluster tells nothing of it. */
  readonly isGone: boolean
  /** It begins behind the place where the restore began: something deletes records. */
  readonly isLosing: boolean
  /** None of the targets of its plan partition has grown for so long. */
  readonly stoodMs: number
}

export interface RestoreStatus {
  readonly planTopic: string
  /** Every target holds what is planned, and the plan is complete. */
  readonly isDone: boolean
  /** Done, or all that is missing was put aside: nothing more will come by itself. */
  readonly isOver: boolean
  readonly isPlanComplete: boolean
  readonly files: number
  readonly filesRestored: number
  readonly records: number
  readonly recordsRestored: number
  /** Bytes of the planned files, and of those that are restored whole. */
  readonly bytes: number
  readonly bytesRestored: number
  /** Since the first look; undefined at that. */
  readonly recordsPerSecond: number | undefined
  /** Undefined when nobody can tell: nothing moves. */
  readonly etaSeconds: number | undefined
  readonly topics: readonly TopicStatus[]
  /** Chains that executors have put aside: incomplete, and the plan was committed past them. */
  readonly quarantined: readonly TopicPartition[]
  readonly losing: readonly TopicPartition[]
  /** Chains that lack records, were not put aside, and of which none gets on for a while. */
  readonly stalled: readonly TopicPartition[]
}

export interface TopicStatus {
  readonly topic: string
  readonly partitions: number
  readonly partitionsDone: number
  readonly recordsPlanned: number
  readonly recordsRestored: number
}

/** Adds up what the chains say; `since` is the first look, for the rate. Pure. */
export function sumStatus(
  planTopic: string,
  chains: readonly ChainStatus[],
  files: readonly PlanFile[],
  isPlanComplete: boolean,
  since: { readonly atMs: number; readonly records: number; readonly nowMs: number } | undefined,
  stalledAfterMs = Infinity,
): RestoreStatus {
  const counts = new PartitionMap(chains.map(chain => [chain, chain.recordsRestored] as const))
  const whole = files.filter(
    ({ target, recordsBefore, records }) => (counts.get(target) ?? 0) >= recordsBefore + records,
  )
  const sum = <T>(of: readonly T[], pick: (one: T) => number) => of.reduce((total, one) => total + pick(one), 0)
  const restored = (chain: ChainStatus) => Math.min(chain.recordsRestored, chain.recordsPlanned)
  const isWhole = (chain: ChainStatus) =>
    !chain.isGone && !chain.isLosing && chain.recordsRestored >= chain.recordsPlanned
  const records = sum(chains, chain => chain.recordsPlanned)
  const recordsRestored = sum(chains, restored)
  const recordsPerSecond =
    since === undefined
      ? undefined
      : ((recordsRestored - since.records) * 1_000) / Math.max(1, since.nowMs - since.atMs)
  const where = ({ topic, partition }: ChainStatus) => ({ topic, partition })
  return {
    planTopic,
    isDone: isPlanComplete && chains.every(isWhole),
    isOver: isPlanComplete && chains.every(chain => isWhole(chain) || chain.isPassed),
    isPlanComplete,
    files: files.length,
    filesRestored: whole.length,
    records,
    recordsRestored,
    bytes: sum(files, file => file.object.bytes),
    bytesRestored: sum(whole, file => file.object.bytes),
    recordsPerSecond,
    etaSeconds:
      recordsPerSecond === undefined || recordsPerSecond <= 0
        ? undefined
        : Math.ceil((records - recordsRestored) / recordsPerSecond),
    topics: [...new Set(chains.map(({ topic }) => topic))].map(topic => {
      const own = chains.filter(chain => chain.topic === topic)
      return {
        topic,
        partitions: own.length,
        partitionsDone: own.filter(isWhole).length,
        recordsPlanned: sum(own, chain => chain.recordsPlanned),
        recordsRestored: sum(own, restored),
      }
    }),
    quarantined: chains.filter(chain => chain.isPassed && !isWhole(chain)).map(where),
    losing: chains.filter(({ isLosing }) => isLosing).map(where),
    stalled: chains.filter(chain => !isWhole(chain) && !chain.isPassed && chain.stoodMs >= stalledAfterMs).map(where),
  }
}
