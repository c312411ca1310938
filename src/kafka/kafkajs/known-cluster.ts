import { MaxbrodError } from '../../runtime/errors.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { Leader } from '../port.ts'
import type { MetadataAnswer } from '../protocol/metadata.ts'
import type { Address } from './connections.ts'

interface KnownTopic {
  readonly topicId: string | undefined
  readonly leaders: ReadonlyMap<number, { readonly nodeId: number; readonly leaderEpoch: number }>
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
    if (asked === undefined) this.#topics.clear()
    for (const { name, topicId, errorCode, partitions } of topics) {
      if (errorCode !== 0) this.#topics.delete(name)
      else {
        const led = partitions.filter(({ leader }) => leader >= 0)
        this.#topics.set(name, {
          topicId: topicId ?? undefined,
          leaders: new Map(
            led.map(({ partition, leader, leaderEpoch }) => [partition, { nodeId: leader, leaderEpoch }]),
          ),
        })
      }
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
