export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `orders-3`, as Kafka's own tools print it. For people; two different ones may look alike. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** A map keyed by topic-partition, in the order of insertion. */
export class PartitionMap<V> {
  readonly #entries = new Map<string, readonly [TopicPartition, V]>()

  constructor(entries: Iterable<readonly [TopicPartition, V]> = []) {
    for (const [partition, value] of entries) this.set(partition, value)
  }

  get size(): number {
    return this.#entries.size
  }

  get(partition: TopicPartition): V | undefined {
    return this.#entries.get(idOf(partition))?.[1]
  }

  has(partition: TopicPartition): boolean {
    return this.#entries.has(idOf(partition))
  }

  set({ topic, partition }: TopicPartition, value: V): void {
    this.#entries.set(idOf({ topic, partition }), [{ topic, partition }, value])
  }

  delete(partition: TopicPartition): boolean {
    return this.#entries.delete(idOf(partition))
  }

  clear(): void {
    this.#entries.clear()
  }

  *keys(): Generator<TopicPartition> {
    for (const [partition] of this.#entries.values()) yield partition
  }

  *values(): Generator<V> {
    for (const [, value] of this.#entries.values()) yield value
  }

  [Symbol.iterator](): IterableIterator<readonly [TopicPartition, V]> {
    return this.#entries.values()
  }
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}` // a slash cannot occur in a topic name
}
