import type { PartitionMap, TopicPartition } from '../../runtime/topic-partition.ts'
import type { TopicDescription } from './admin.ts'

export interface GroupOptions {
  readonly groupId: string
  /** A static member's name (KIP-345): it keeps its partitions over a restart. Undefined for a dynamic member. */
  readonly instanceId: string | undefined
  readonly sessionTimeoutMs: number
  /** How long a member may take to give partitions up. */
  readonly rebalanceTimeoutMs: number
  /** How often each member looks for new topics and partitions. */
  readonly metadataRefreshMs: number
  readonly selection: TopicSelection
  readonly listener: GroupListener
}

export interface TopicSelection {
  /** Text that differs when the selection differs: members compare it. */
  readonly fingerprint: string
  /** The topics to ask the cluster for; undefined for all. */
  readonly names: readonly string[] | undefined
  matches(topic: TopicDescription): boolean
  /** Those that are left when more is asked of the topics that match than they say themselves. Throws nothing. */
  narrow?(topics: readonly TopicDescription[]): Promise<readonly TopicDescription[]>
}

export interface GroupListener {
  /** These partitions are ours from now on. */
  assigned(partitions: readonly Ownership[]): void
  /**
   * These partitions go to others once this resolves; until then they may still be committed. Must not take longer than
   * the rebalance time-out.
   */
  revoked(partitions: readonly Ownership[]): Promise<void>
  /** These partitions are no longer ours; somebody else may own them already. Nothing may be committed for them. */
  lost(partitions: readonly Ownership[]): void
}

/** A time of owning a partition without interruption. */
export interface Ownership extends TopicPartition {
  /** Aborts when the time is over. */
  readonly ended: AbortSignal
}

export interface GroupSession extends AsyncDisposable {
  /** Rejects when the member cannot go on: GROUP_FENCED, GROUP_PROTOCOL, KAFKA_AUTH. Never resolves before it is closed. */
  readonly ended: Promise<void>
  /** The partitions that are ours now. */
  readonly owned: readonly Ownership[]
  /** All partitions of the selected topics, as this member last saw them. */
  readonly selected: readonly TopicPartition[]
  /** Undefined while the group shares out what this member selects. */
  readonly otherSelection: OtherSelection | undefined
  /** Monotonic ms of the last proof that the group still counts us in. */
  readonly provenAtMs: number
  /**
   * Commits offsets under the present generation. Waits while the group rebalances, and for what time may heal; rejects when
   * the broker refuses one of them for good: KAFKA_AUTH, mostly. `fenced` when the ownership ended before the broker took the
   * commit, which changed nothing then; when the topic is gone; and when the member was closed in the middle of it.
   */
  commit(offsets: readonly OwnedOffset[]): Promise<PartitionMap<'committed' | 'fenced'>>
  /** Leaves the group for good, static members too, so that the others need not wait for the session time-out. */
  leave(): Promise<void>
}

/** A group shares out what its leader selects: one that was configured otherwise than this member. */
export interface OtherSelection {
  /** Monotonic ms. */
  readonly sinceMs: number
  /** Its member id, which begins with its name if it has one. */
  readonly leader: string
  /** Topics that this member selects and the leader does not, so that nobody is given them: the first ones. */
  readonly topics: readonly string[]
  /** How many there are. */
  readonly count: number
}

export interface OwnedOffset {
  readonly ownership: Ownership
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}
