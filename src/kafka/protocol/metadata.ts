import { call } from './call.ts'
import type { Call } from './call.ts'

export const METADATA = { apiKey: 3, newest: 12, oldest: 5 } as const

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly clusterId: string | null
  readonly controllerId: number
  readonly topics: readonly MetadataTopic[]
  /** A bit field of AclOperation codes; undefined when it was not asked for, or the version has none. */
  readonly clusterOperations: number | undefined
}

export interface MetadataTopic {
  readonly errorCode: number
  readonly name: string
  /** Null before version 10 (Kafka 2.8). */
  readonly topicId: string | null
  readonly isInternal: boolean
  readonly partitions: readonly MetadataPartition[]
  /** A bit field of AclOperation codes; undefined when it was not asked for. */
  readonly operations: number | undefined
}

export interface MetadataPartition {
  readonly errorCode: number
  readonly partition: number
  /** −1 when there is none. */
  readonly leader: number
  /** −1 before version 7. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
}

/** Versions that tell what the user may do, to the cluster as well as to topics (KIP-430). */
export const METADATA_WITH_RIGHTS = { apiKey: 3, newest: 10, oldest: 8 } as const

/** Brokers, cluster id and the given topics, or all of them. Never creates a topic. */
export function metadataCall(
  version: number,
  topics: readonly string[] | undefined,
  { withRights = false }: { readonly withRights?: boolean } = {},
): Call<MetadataAnswer> {
  const wantsRights = withRights ? 1 : 0
  return call({
    apiKey: METADATA.apiKey,
    apiName: 'Metadata',
    version,
    flexibleFrom: 9,
    write(writer, isFlexible) {
      const writeTopic = (topic: string) => {
        if (version >= 10) writer.uuid(null)
        if (isFlexible) writer.compactString(topic).noTags()
        else writer.string(topic)
      }
      if (topics === undefined) {
        if (isFlexible) writer.uvarint(0)
        else writer.int32(-1)
      } else if (isFlexible) writer.compactArray(topics, writeTopic)
      else writer.array(topics, writeTopic)
      writer.int8(0) // allow_auto_topic_creation
      if (version >= 8 && version <= 10) writer.int8(wantsRights) // include_cluster_authorized_operations
      if (version >= 8) writer.int8(wantsRights) // include_topic_authorized_operations
      if (isFlexible) writer.noTags()
    },
    read(reader, isFlexible) {
      const array = <T>(read: () => T) => (isFlexible ? reader.compactArray(read) : reader.array(read))
      const text = () => (isFlexible ? reader.nullableCompactString() : reader.nullableString())
      const endOf = <T>(value: T): T => {
        if (isFlexible) reader.skipTags()
        return value
      }
      reader.int32() // throttle time
      const brokers = array(() => {
        const nodeId = reader.int32()
        const host = text() ?? ''
        const port = reader.int32()
        text() // rack
        return endOf({ nodeId, host, port })
      })
      const clusterId = text()
      const controllerId = reader.int32()
      const readPartition = (): MetadataPartition => {
        const errorCode = reader.int16()
        const partition = reader.int32()
        const leader = reader.int32()
        const leaderEpoch = version >= 7 ? reader.int32() : -1
        const replicas = array(() => reader.int32())
        array(() => reader.int32()) // in-sync replicas
        array(() => reader.int32()) // offline replicas
        return endOf({ errorCode, partition, leader, leaderEpoch, replicas })
      }
      const topicsAnswered = array((): MetadataTopic => {
        const errorCode = reader.int16()
        const name = text() ?? ''
        const topicId = version >= 10 ? reader.uuid() : null
        const isInternal = reader.bool()
        const partitions = array(readPartition)
        const operations = version >= 8 ? operationsOf(reader.int32()) : undefined
        return endOf({ errorCode, name, topicId, isInternal, partitions, operations })
      })
      const clusterOperations = version >= 8 && version <= 10 ? operationsOf(reader.int32()) : undefined
      return { brokers, clusterId, controllerId, topics: topicsAnswered, clusterOperations }
    },
  })
}

/** What stands for "was not asked for". Source: MetadataResponse.AUTHORIZED_OPERATIONS_OMITTED. */
const OMITTED = -(2 ** 31)

export function operationsOf(field: number): number | undefined {
  return field === OMITTED ? undefined : field
}
