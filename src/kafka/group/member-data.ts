import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { byTopic } from '../protocol/by-topic.ts'
import { WireReader, WireWriter } from '../protocol/wire.ts'

/**
 * What members tell the leader and the leader tells them. The outer form is Java's consumer protocol, version 0, so that
 * Kafka's own tools show who owns what; what our assignor needs rides in its user data.
 */

/** Names the assignor in JoinGroup: a consumer of another kind cannot join such a group by mistake. */
export const ASSIGNOR = 'maxbrod-cooperative-sticky-v1'
export const PROTOCOL_TYPE = 'consumer'

export interface Subscription {
  /** Hash of what the member's selection matches now. */
  readonly selectionHash: string
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  /** The generation under which the partitions are owned; −1 for none. */
  readonly generation: number
  /** Changes when a member wants the group to rebalance though nothing else did. */
  readonly nonce: number
}

export interface Assignment {
  /** Hash of what the leader's selection matched. */
  readonly selectionHash: string
  readonly partitions: readonly TopicPartition[]
  /** Topics that the member matches and the leader does not, which shares out its own: the first ones, and how many. */
  readonly unshared: Unshared
}

export interface Unshared {
  readonly topics: readonly string[]
  readonly count: number
}

const VERSION = 0
const nothingUnshared: Unshared = { topics: [], count: 0 }

export function encodeSubscription({ selectionHash, topics, owned, generation, nonce }: Subscription): Buffer {
  const userData = writePartitions(new WireWriter().string(selectionHash).int32(generation).int32(nonce), owned)
  const writer = new WireWriter().int16(VERSION)
  writer.array(topics, topic => writer.string(topic))
  return writer.int32(userData.bytes.length).raw(userData.bytes).bytes
}

export function decodeSubscription(bytes: Buffer): Subscription {
  const outer = new WireReader(bytes)
  outer.int16()
  const topics = outer.array(() => outer.string())
  const reader = new WireReader(outer.bytes())
  return {
    topics,
    selectionHash: reader.string(),
    generation: reader.int32(),
    nonce: reader.int32(),
    owned: readPartitions(reader),
  }
}

export function encodeAssignment({ selectionHash, partitions, unshared }: Assignment): Buffer {
  const writer = writePartitions(new WireWriter().int16(VERSION), partitions)
  const data = new WireWriter().string(selectionHash).int32(unshared.count)
  const userData = data.array(unshared.topics, topic => data.string(topic)).bytes
  return writer.int32(userData.length).raw(userData).bytes
}

/** The assignment; an empty one when the leader gave none. */
export function decodeAssignment(bytes: Buffer): Assignment {
  if (bytes.length === 0) return { selectionHash: '', partitions: [], unshared: nothingUnshared }
  const reader = new WireReader(bytes)
  reader.int16()
  const partitions = readPartitions(reader)
  const userData = new WireReader(reader.bytes())
  const selectionHash = userData.isAtEnd ? '' : userData.string()
  // Leaders of older versions do not tell.
  if (userData.isAtEnd) return { partitions, selectionHash, unshared: nothingUnshared }
  const count = userData.int32()
  return { partitions, selectionHash, unshared: { count, topics: userData.array(() => userData.string()) } }
}

function writePartitions(writer: WireWriter, partitions: readonly TopicPartition[]): WireWriter {
  return writer.array(byTopic(partitions), ([topic, of]) => {
    writer.string(topic).array(of, ({ partition }) => writer.int32(partition))
  })
}

function readPartitions(reader: WireReader): TopicPartition[] {
  const topics = reader.array(() => {
    const topic = reader.string()
    return reader.array(() => ({ topic, partition: reader.int32() }))
  })
  return topics.flat()
}
