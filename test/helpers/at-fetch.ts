import type { Ports } from '../../src/commands/ports.ts'
import type { Kafka } from '../../src/kafka/port.ts'

/** Something that happens in the middle of reading: before the n-th fetch goes out, which waits for it. */
export class AtFetch {
  readonly ports: (real: Ports) => Ports
  /** How many fetches there were. */
  calls = 0

  constructor(call: number, action: () => Promise<unknown>) {
    const wrap = (kafka: Kafka): Kafka => ({
      ...kafka, // a plain object
      fetcher: {
        fetch: async (...args) => {
          if (++this.calls === call) await action()
          return kafka.fetcher.fetch(...args)
        },
        reconnect: nodeId => kafka.fetcher.reconnect(nodeId),
      },
    })
    this.ports = real => ({ ...real, openKafka: async (...args) => wrap(await real.openKafka(...args)) })
  }
}
