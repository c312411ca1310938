import type { Ports } from '../../src/commands/ports.ts'
import type { Kafka } from '../../src/kafka/port.ts'

/** Counts what a command in the test's own process fetches from Kafka. */
export class FetchedBytes {
  bytes = 0

  readonly ports = (real: Ports): Ports => ({
    ...real,
    openKafka: async (...args) => this.#wrap(await real.openKafka(...args)),
  })

  #wrap(kafka: Kafka): Kafka {
    const { fetcher } = kafka
    return {
      ...kafka, // a plain object
      fetcher: {
        fetch: async (...args) => {
          const answer = await fetcher.fetch(...args)
          for (const { records } of answer.partitions) this.bytes += records.length
          return answer
        },
        reconnect: nodeId => fetcher.reconnect(nodeId),
      },
    }
  }
}
