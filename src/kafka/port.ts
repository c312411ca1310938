import type { AbortedTransaction } from '../format/batch/aborted.ts'
import type { KafkaRecord } from '../format/batch/records.ts'
import type { SourceOffset } from '../format/batch/source-offsets.ts'
import type { NamedMember } from '../runtime/name-members.ts'
import type { PartitionMap, TopicPartition } from '../runtime/topic-partition.ts'
import type { KafkaErrorName, TroubleKind } from './kafka-errors.ts'

/**
 * What maxbrod needs of a Kafka cluster. Record batches cross this seam as bytes; single records never do.
 *
 * Verbs that ask retry what is temporary (lost connections, moved leaders and coordinators) until their deadline and then
 * throw a MaxbrodError: KAFKA_UNREACHABLE, KAFKA_GAVE_UP, KAFKA_AUTH or KAFKA_PROTOCOL. The two verbs that move records,
 * `fetch` and `append`, never retry: what a lost answer means is for the caller to find out.
 */
export interface Kafka extends AsyncDisposable {
  readonly admin: ClusterAdmin
  readonly routes: Routes
  readonly fetcher: BatchFetcher
  /**
   * The data records with `from` ≤ offset < `to`, one by one, whatever became of their transactions: for small topics and
   * single records, not for bulk. Waits for records that are not there yet only if `to` is beyond the high watermark.
   */
  readRecords(partition: TopicPartition, from: number, to: number, signal: AbortSignal): AsyncIterable<ReadRecord>
  /**
   * The source offsets of all data records of the first batch that has one with `offset` ≤ its offset < `to`; what lies before
   * `offset` in that batch is among them. Empty when there is none. One small request, for a look into a restored log.
   */
  readSourceOffsets(
    partition: TopicPartition,
    offset: number,
    to: number,
    signal: AbortSignal,
  ): Promise<readonly SourceOffset[]>
  /** A fresh appender with connections of its own. */
  newAppender(): BatchAppender
  /** Joins a consumer group. Resolves once the member knows its first assignment; an abort before that rejects with its reason. */
  joinGroup(options: GroupOptions, signal?: AbortSignal): Promise<GroupSession>
  /** Members that were not closed are closed, and all connections go. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A broker's error for one partition: its name in the protocol, and what it calls for. */
export interface Trouble {
  readonly name: KafkaErrorName
  readonly kind: TroubleKind
}

// ---- asking and arranging

export interface ClusterAdmin {
  clusterId(): Promise<string>

  /** The named topics that exist, or all of them; fresh. */
  topics(names?: readonly string[]): Promise<readonly TopicDescription[]>

  /** One offset of each partition. Partitions that have none, or that may not be read, are in `failed`. */
  offsets(kind: OffsetKind, partitions: readonly TopicPartition[]): Promise<OffsetsAnswer>

  /** The first record of each partition whose timestamp (ms) is `timeMs` or later; −1 when there is none. */
  offsetsSince(timeMs: number, partitions: readonly TopicPartition[]): Promise<OffsetsAnswer>

  /** What a group has committed; partitions without a commit are missing. */
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<PartitionMap<CommittedOffset>>

  /** All groups, of every type. Waits for every broker: a part of them is never answered. */
  groups(): Promise<readonly GroupListing[]>

  /** All that groups have committed, whoever they are; nothing for a group that does not exist. Denied ones are in `failed`. */
  groupOffsets(groups: readonly string[]): Promise<GroupOffsetsAnswer>

  /** Who is in a group now; nobody for one that does not exist, or keeps its members to itself. */
  members(group: string): Promise<readonly NamedMember[]>

  /** Commits for a group without members: throws GROUP_ACTIVE, with their names, while it has some. Answers what was refused, and why. */
  commitFromOutside(group: string, offsets: PartitionMap<CommittedOffset>): Promise<PartitionMap<KafkaErrorName>>

  /** Creates a topic; `exists` when there is one of that name, whatever it looks like. */
  createTopic(topic: NewTopic): Promise<'created' | 'exists'>

  /** Deletes a topic with all that is in it; one that does not exist is fine. Brokers go on to tell of it for a moment. */
  deleteTopic(topic: string): Promise<void>

  /** All configs of the topics, with where each value comes from. */
  topicConfigs(names: readonly string[]): Promise<ReadonlyMap<string, readonly ConfigEntry[]>>

  /** The ACLs on topics; none when the cluster has no authorizer, or does not let this user see them. */
  topicAcls(): Promise<readonly TopicAcl[]>

  /** Every broker that metadata names, and whether it answers at the address that it tells clients. */
  contacts(): Promise<readonly BrokerContact[]>

  /** What this user may do to the topics, which are there, to the group and to the cluster (KIP-430, Kafka 2.3). */
  rights(topics: readonly string[], group: string | undefined): Promise<Rights>

  /** All configs of one broker, dynamic cluster defaults among them. */
  brokerConfigs(): Promise<readonly ConfigEntry[]>

  /** Changes some configs and leaves the others (KIP-339); null removes an entry. */
  alterTopicConfigs(topic: string, configs: ConfigChanges): Promise<void>

  /** Changes the dynamic defaults of all brokers. */
  alterBrokerDefaults(configs: ConfigChanges): Promise<void>

  /** A producer id that nobody else has. */
  newProducerId(): Promise<bigint>
}

/**
 * `log start`: first offset that can be read. `local log start`: the first one that is on the leader's own disk; what lies
 * below is in tiered storage (KIP-405). `high watermark`: end for readers of all records. `last stable`: end for
 * readers of committed records. `log end`: end of the leader's log, replicated or not.
 */
export type OffsetKind = 'log start' | 'local log start' | 'high watermark' | 'last stable' | 'log end'

export interface OffsetsAnswer {
  readonly offsets: PartitionMap<number>
  readonly failed: PartitionMap<KafkaErrorName>
}

export interface TopicDescription {
  readonly name: string
  /** Undefined for brokers before 2.8. */
  readonly topicId: string | undefined
  readonly isInternal: boolean
  readonly partitions: number
  readonly replicationFactor: number
  /** Set when the cluster does not tell more: no rights, mostly. Partitions and replicas are 0 then. */
  readonly error: KafkaErrorName | undefined
}

export interface CommittedOffset {
  readonly offset: number
  readonly metadata: string
}

export interface GroupListing {
  readonly group: string
  /** `consumer`, `connect`, …; empty for a group that never had a member. */
  readonly protocolType: string
  /** `Empty`, `Stable`, …; undefined for brokers before Kafka 2.6. Too old to decide by: others may join at any moment. */
  readonly state: string | undefined
  /** `classic`, `consumer` (KIP-848), `share`, `streams`; undefined for brokers before Kafka 3.8. */
  readonly type: string | undefined
}

export interface GroupOffsetsAnswer {
  readonly offsets: ReadonlyMap<string, PartitionMap<GroupCommit>>
  readonly failed: ReadonlyMap<string, KafkaErrorName>
}

export interface GroupCommit extends CommittedOffset {
  /** −1 when the group did not say. */
  readonly leaderEpoch: number
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  /** −1 for the broker's default. */
  readonly replicationFactor: number
  readonly configs: ReadonlyMap<string, string>
}

export interface ConfigEntry {
  readonly name: string
  /** Null for secrets, and for entries without a value. */
  readonly value: string | null
  /** True when it was set for this very resource, not inherited. */
  readonly isOwn: boolean
  readonly isReadOnly: boolean
}

/** Numbers are Kafka's codes: AclOperation, AclPermissionType, PatternType. */
export interface TopicAcl {
  readonly resource: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permission: number
}

export interface BrokerContact {
  readonly nodeId: number
  /** Its advertised listener. */
  readonly address: string
  /** Why it cannot be reached there; undefined when it answered. */
  readonly failure: string | undefined
  /** Undefined without TLS. */
  readonly certificates: Certificates | undefined
}

/** When the certificates of a connection end, as ms since 1970; undefined for one that was not shown. */
export interface Certificates {
  readonly brokerEndsAt: number | undefined
  readonly ownEndsAt: number | undefined
}

/** Operations as Kafka names them: READ, DESCRIBE_CONFIGS. Undefined where the broker does not tell. */
export interface Rights {
  readonly cluster: ReadonlySet<string> | undefined
  readonly topics: ReadonlyMap<string, ReadonlySet<string> | undefined>
  readonly group: ReadonlySet<string> | undefined
}

export type ConfigChanges = ReadonlyMap<string, string | null>

// ---- who leads

/** Leaders of partitions, from memory. */
export interface Routes {
  /** The leader as last heard; undefined when there is none, or the partition is not known. */
  leader(partition: TopicPartition): Leader | undefined
  /** Asks the cluster again about these topics. Never throws: without an answer, what was known stays. */
  refresh(topics: readonly string[]): Promise<void>
}

export interface Leader {
  readonly nodeId: number
  /** −1 when the broker does not tell. */
  readonly leaderEpoch: number
  readonly topicId: string | undefined
}

// ---- reading

export interface BatchFetcher {
  /**
   * One fetch request to one broker, for partitions that it leads. Answers partition by partition: an error of one does not
   * touch the others. The records are slices of one buffer: dispose of the answer when done with all of them.
   * A failed request rejects with KafkaError; nothing was lost.
   */
  fetch(nodeId: number, partitions: readonly FetchPartition[], options: FetchOptions): Promise<FetchedBatches>
  /** Drops the connection to a broker, so that the next fetch comes over a new one. */
  reconnect(nodeId: number): void
}

export interface FetchPartition extends TopicPartition {
  readonly topicId: string | undefined
  readonly offset: number
  /** −1 when unknown; else the broker refuses when it knows another one. */
  readonly leaderEpoch: number
  /**
   * Leader epoch of what lies before `offset` in what was fetched; −1 or missing when unknown. Brokers from Kafka 2.7 on
   * answer with `diverging` when their log has another history there.
   */
  readonly lastFetchedEpoch?: number
  readonly maxBytes: number
}

export interface FetchOptions {
  /** `committed` ends at the last stable offset and lists aborted transactions; it filters nothing. */
  readonly isolation: 'committed' | 'uncommitted'
  /** For the whole answer; a single larger batch comes all the same. */
  readonly maxBytes: number
  readonly minBytes: number
  readonly maxWaitMs: number
}

export interface FetchedBatches extends Disposable {
  readonly partitions: readonly FetchedPartition[]
  /** Size of the buffer behind the records. */
  readonly bytes: number
}

export interface FetchedPartition extends TopicPartition {
  /** False when the broker only knows topics by name (before Kafka 3.1): it may be another topic of that name by now. */
  readonly isNamedById: boolean
  readonly trouble: Trouble | undefined
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /**
   * The log is not the one that was fetched: an unclean leader election cut it. It has the records of `leaderEpoch`, the
   * largest one up to `lastFetchedEpoch`, up to `endOffset`. There are no records then.
   */
  readonly diverging?: { readonly leaderEpoch: number; readonly endOffset: number } | undefined
  /** Whole record batches, and maybe a partial one at the end. Empty may also mean that the answer's budget was spent. */
  readonly records: Buffer
}

export interface ReadRecord extends KafkaRecord {
  /** −1 when the producer was not idempotent. */
  readonly producerId: bigint
}

// ---- appending

export interface BatchAppender extends Disposable {
  /**
   * Sends one finished batch, together with others that are waiting for the same broker. At most one per partition may be on
   * its way: another one is not sent. The batch's bytes must not change, ever, unless the answer is `acknowledged` or `refused`: without an answer
   * they may still lie in a socket.
   */
  append(request: AppendRequest): Promise<AppendAnswer>
  /** Destroys all connections: what was not acknowledged yet becomes `unanswered`. */
  reset(): void
}

export interface AppendRequest extends TopicPartition {
  /** Where it is known, brokers from Kafka 4.1 on refuse a batch for another topic of that name. */
  readonly topicId?: string | undefined
  readonly batch: Buffer
  /** Asked at the last moment before the bytes leave; false makes the answer `unsent`. */
  readonly mayWrite: () => boolean
}

export type AppendAnswer =
  | { readonly kind: 'acknowledged'; readonly baseOffset: number; readonly logStartOffset: number }
  /** The leader answered with an error. Whether it appended depends on the error. */
  | { readonly kind: 'refused'; readonly trouble: Trouble }
  /** No answer came: it may have been appended, or may still be. */
  | { readonly kind: 'unanswered'; readonly reason: string }
  /** Not a byte of it left this process. */
  | { readonly kind: 'unsent'; readonly reason: string }

// ---- being a member of a group

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

export interface OwnedOffset {
  readonly ownership: Ownership
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}
