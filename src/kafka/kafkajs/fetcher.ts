import { KafkaError, kafkaErrorName, kindOf } from '../kafka-errors.ts'
import type { BatchFetcher, FetchOptions, FetchPartition, FetchedBatches } from '../port/fetching.ts'
import type { Trouble } from '../port/trouble.ts'
import { FETCH, FETCH_BY_ID, fetchCall } from '../protocol/fetch.ts'
import type { ClusterView } from './cluster-view.ts'

/** A fetch may take this much longer than the broker was told to wait. */
const GRACE_MS = 30_000

/** BatchFetcher over kafkajs' sockets. `newestFetch` is for tests that need an old broker's way. */
export function newFetcher(view: ClusterView, newestFetch: number = FETCH.newest): BatchFetcher {
  return {
    async fetch(nodeId: number, partitions: readonly FetchPartition[], options: FetchOptions): Promise<FetchedBatches> {
      const connection = view.connection(nodeId, 'fetch')
      const hasIds = partitions.every(({ topicId }) => topicId !== undefined)
      const version = await connection.version(
        FETCH.apiKey,
        hasIds ? newestFetch : Math.min(newestFetch, FETCH_BY_ID - 1),
        FETCH.oldest,
      )
      if (version === undefined)
        throw new KafkaError('UNSUPPORTED_VERSION', 'Fetch', `${connection.address} is older than Kafka 2.3`)
      const { maxWaitMs, minBytes, maxBytes } = options
      const isolation = options.isolation === 'committed' ? 1 : 0
      const asked = partitions.map(one => ({ ...one, lastFetchedEpoch: one.lastFetchedEpoch ?? -1 }))
      const call = fetchCall(version, { isolation, maxWaitMs, minBytes, maxBytes }, asked)
      const frame = await connection.sendForFrame(call, { timeoutMs: maxWaitMs + GRACE_MS })
      try {
        const answer = call.decode(frame.payload)
        const error = kafkaErrorName(answer.errorCode)
        if (error !== undefined) throw new KafkaError(error, 'Fetch')
        const names = new Map(partitions.map(({ topic, topicId }) => [version >= FETCH_BY_ID ? topicId : topic, topic]))
        return {
          partitions: answer.partitions.map(({ errorCode, topic, ...partition }) => ({
            ...partition,
            topic: names.get(topic) ?? topic,
            isNamedById: version >= FETCH_BY_ID,
            trouble: troubleOf(errorCode),
          })),
          bytes: frame.payload.length,
          [Symbol.dispose]: () => frame[Symbol.dispose](),
        }
      } catch (cause) {
        frame[Symbol.dispose]()
        if (cause instanceof KafkaError) throw cause
        throw new KafkaError('CORRUPT_MESSAGE', 'Fetch', cause instanceof Error ? cause.message : undefined, cause)
      }
    },

    reconnect(nodeId) {
      if (view.knows(nodeId)) view.connection(nodeId, 'fetch').destroy()
    },
  }
}

function troubleOf(errorCode: number): Trouble | undefined {
  const name = kafkaErrorName(errorCode)
  return name === undefined ? undefined : { name, kind: kindOf(name) }
}
