import { MaxbrodError } from '../../runtime/errors.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { Leader } from '../port.ts'
import type { MetadataAnswer, MetadataTopic } from '../protocol/metadata.ts'
import type { Address } from './connections.ts'

type Leaders = ReadonlyMap<number, { readonly nodeId: number; readonly leaderEpoch: number }>

interface KnownTopic {
  readonly topicId: string | undefined
  readonly leaders: Leaders
}

/** What brokers said of their cluster last: which it is, who belongs to it, who leads what. */
export class KnownCluster {
  readonly #topics = new Map<string, KnownTopic>()
  #brokers = new Map<number, Address>()
  /** Of the first broker that told it. */
  #clusterId: string | undefined
  #isKnown = false

  /** True once a broker has told of the cluster. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  get addresses(): Iterable<Address> {
    return this.#brokers.values()
  }

  /** Undefined for a broker that metadata did not name last. */
  address(nodeId: number): Address | undefined {
    return this.#brokers.get(nodeId)
  }

  leader({ topic, partition }: TopicPartition): Leader | undefined {
    const known = this.#topics.get(topic)
    const found = known?.leaders.get(partition)
    if (known === undefined || found === undefined || !this.#brokers.has(found.nodeId)) return undefined
    return { ...found, topicId: known.topicId }
  }

  /** Takes an answer for the topics that were `asked` for, or for all. */
  learn({ brokers, topics }: MetadataAnswer, asked: readonly string[] | undefined): void {
    this.#isKnown = true
    this.#brokers = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    const before = new Map(this.#topics)
    if (asked === undefined) this.#topics.clear()
    for (const topic of topics) {
      if (topic.errorCode !== 0) this.#topics.delete(topic.name)
      else this.#topics.set(topic.name, newest(before.get(topic.name), topic))
    }
  }

  /** Takes of an answer only who leads what is known, where that is news. */
  learnLeaders({ topics }: MetadataAnswer): void {
    for (const topic of topics) {
      const known = this.#topics.get(topic.name)
      const isSame = known?.topicId !== undefined && known.topicId === topic.topicId
      if (isSame && topic.errorCode === 0) this.#topics.set(topic.name, newest(known, topic))
    }
  }

  /** The same addresses may lead to a cluster that was built anew: what we know, and what we write, is of the first one. */
  requireSame(clusterId: string | null, where: string): void {
    if (clusterId === null) return
    this.#clusterId ??= clusterId
    if (clusterId === this.#clusterId) return
    throw new MaxbrodError('FOREIGN_CLUSTER', `${where} was cluster ${this.#clusterId}, and is ${clusterId} now`, {
      hint: 'if the cluster was built anew, start again with another prefix in --storage',
      expected: this.#clusterId,
      found: clusterId,
    })
  }
}

/**
 * A broker that the others do not reach any more says for ever what it heard last: of two answers about one topic the newer
 * leader epoch counts, partition by partition. Without topic ids nobody knows whether it is the same topic.
 */
function newest(known: KnownTopic | undefined, { topicId, partitions }: MetadataTopic): KnownTopic {
  const before: Leaders = known?.topicId !== undefined && known.topicId === topicId ? known.leaders : new Map()
  const leaders = partitions.flatMap(({ partition, leader: nodeId, leaderEpoch }) => {
    const last = before.get(partition)
    if (last !== undefined && leaderEpoch >= 0 && leaderEpoch < last.leaderEpoch) return [[partition, last] as const]
    return nodeId < 0 ? [] : [[partition, { nodeId, leaderEpoch }] as const]
  })
  return { topicId: topicId ?? undefined, leaders: new Map(leaders) }
}
