import type { Ports } from '../../src/commands/ports.ts'
import type { Kafka } from '../../src/kafka/port.ts'

/** Fetches as brokers before Kafka 3.1 know them: topics are told by their names. */
export class ByName {
  readonly ports: (real: Ports) => Ports
  #isOpen = Promise.resolve()

  constructor() {
    const wrap = (kafka: Kafka): Kafka => ({
      ...kafka, // a plain object
      fetcher: {
        fetch: async (nodeId, partitions, options) => {
          await this.#isOpen
          const named = partitions.map(partition => ({ ...partition, topicId: undefined }))
          return kafka.fetcher.fetch(nodeId, named, options)
        },
        reconnect: nodeId => kafka.fetcher.reconnect(nodeId),
      },
    })
    this.ports = real => ({ ...real, openKafka: async (...args) => wrap(await real.openKafka(...args)) })
  }

  /** Lets something happen between two fetches. */
  async without<T>(action: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#isOpen = promise
    try {
      return await action()
    } finally {
      resolve()
    }
  }
}
