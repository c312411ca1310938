import type { Ports } from '../../src/commands/ports.ts'
import { batchesIn } from '../../src/format/batch/record-batch.ts'
import type { FetchedBatches } from '../../src/kafka/port/fetching.ts'
import type { Kafka } from '../../src/kafka/port.ts'

/** A network that flips a bit of the batch that holds `offset` in each of the first `times` answers that bring it. */
export class DamagedFetches {
  readonly ports: (real: Ports) => Ports
  /** How many batches were damaged. */
  fired = 0

  constructor(topic: string, offset: number, times: number) {
    const damage = ({ partitions }: FetchedBatches) => {
      for (const { topic: of, records } of partitions) {
        if (of !== topic) continue
        for (const batch of batchesIn(records)) {
          if (offset < batch.baseOffset || offset >= batch.nextOffset || this.fired >= times) continue
          records[batch.end - 1]! ^= 1
          this.fired++
        }
      }
    }
    const wrap = (kafka: Kafka): Kafka => ({
      ...kafka, // a plain object
      fetcher: {
        fetch: async (...args) => {
          const answer = await kafka.fetcher.fetch(...args)
          damage(answer)
          return answer
        },
        reconnect: nodeId => kafka.fetcher.reconnect(nodeId),
      },
    })
    this.ports = real => ({ ...real, openKafka: async (...args) => wrap(await real.openKafka(...args)) })
  }
}
