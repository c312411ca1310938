import { ClusterView } from '../../src/kafka/kafkajs/cluster-view.ts'
import type { KafkajsLogger } from '../../src/kafka/kafkajs/internals.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { addressOf } from './kafka-client.ts'

/** What lies below the port, for tests that need an older way of asking than the newest: `using view = …`. */
export function openClusterView(bootstrap: string, clock = systemClock): ClusterView & Disposable {
  const nothing = () => undefined
  const logger: KafkajsLogger = {
    namespace: () => logger,
    error: nothing,
    warn: nothing,
    info: nothing,
    debug: nothing,
  }
  const view = new ClusterView(
    {
      bootstrapServers: bootstrap.split(',').map(addressOf),
      bootstrapDeadlineMs: 5_000,
      deadlineMs: 30_000,
      connection: {
        clientId: 'test',
        tls: null,
        sasl: null,
        connectionTimeout: 10_000,
        requestTimeout: 30_000,
        reauthenticationThreshold: 10_000,
        logger,
      },
    },
    { clock, random: systemRandom, pool: new BufferPool(0) },
  )
  return Object.assign(view, { [Symbol.dispose]: () => view.close() })
}
