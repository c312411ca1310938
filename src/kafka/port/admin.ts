import type { NamedMember } from '../../runtime/name-members.ts'
import type { PartitionMap, TopicPartition } from '../../runtime/topic-partition.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'

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
