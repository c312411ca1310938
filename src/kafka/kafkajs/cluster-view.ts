import type { BufferPool } from '../../runtime/buffer-pool.ts'
import type { Clock } from '../../runtime/clock.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { Random } from '../../runtime/random.ts'
import { backoffMs } from '../../runtime/retry.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError, endingOf, isTemporary, kindOf } from '../kafka-errors.ts'
import type { Leader, Routes } from '../port.ts'
import { METADATA, metadataCall } from '../protocol/metadata.ts'
import type { MetadataAnswer, MetadataTopic } from '../protocol/metadata.ts'
import { BrokerConnection, UnsentError } from './broker-connection.ts'
import type { BrokerConnectionOptions } from './broker-connection.ts'

/** What a connection is for. Kafka serves one request at a time per connection, so what must not wait has its own. */
export type Purpose = 'admin' | 'fetch' | 'membership' | 'commit' | `produce ${number}`

export interface ClusterSettings {
  readonly bootstrapServers: readonly { readonly host: string; readonly port: number }[]
  readonly connection: BrokerConnectionOptions['settings']
  /** How long a first answer may take to come from any of the bootstrap servers. */
  readonly bootstrapDeadlineMs: number
  /** How long temporary errors are retried. */
  readonly deadlineMs: number
}

export interface ClusterDeps {
  readonly clock: Clock
  readonly random: Random
  readonly pool: BufferPool
}

const BACKOFF = { initialMs: 100, maxMs: 2_000 }
/** Answers of a fetch are large, others are not. */
const FETCH_READ_BYTES = 256 * 1024
const READ_BYTES = 16 * 1024

/** The cluster as its metadata shows it, and one connection per broker and purpose. */
export class ClusterView implements Routes {
  readonly #settings: ClusterSettings
  readonly #deps: ClusterDeps
  readonly #connections = new Map<string, BrokerConnection>()
  readonly #topics = new Map<string, MetadataTopic>()
  #brokers = new Map<number, { readonly host: string; readonly port: number }>()
  #lastGood: BrokerConnection | undefined
  #isKnown = false

  constructor(settings: ClusterSettings, deps: ClusterDeps) {
    this.#settings = settings
    this.#deps = deps
  }

  /** Fresh metadata of the named topics, or of all. */
  async metadata(topics: readonly string[] | undefined): Promise<MetadataAnswer> {
    const answer = await this.ask(`ask ${this.#where()} for metadata`, () => this.#askAnyBroker(topics))
    this.#learn(answer, topics)
    return answer
  }

  leader({ topic, partition }: TopicPartition): Leader | undefined {
    const known = this.#topics.get(topic)
    const found = known?.partitions.find(one => one.partition === partition)
    if (known === undefined || found === undefined || found.leader < 0 || !this.#brokers.has(found.leader))
      return undefined
    return { nodeId: found.leader, leaderEpoch: found.leaderEpoch, topicId: known.topicId ?? undefined }
  }

  async refresh(topics: readonly string[]): Promise<void> {
    try {
      this.#learn(await this.#askAnyBroker(topics), topics)
    } catch {
      // What was known stays; whoever needs more hears of the trouble from the broker itself.
    }
  }

  /** Any broker's id, for requests that all of them serve. */
  async anyNode(): Promise<number> {
    if (!this.#isKnown) await this.metadata([])
    const [nodeId] = this.#brokers.keys()
    if (nodeId === undefined) throw new KafkaError('NETWORK_EXCEPTION', 'Metadata', 'the cluster names no brokers')
    return nodeId
  }

  connection(nodeId: number, purpose: Purpose): BrokerConnection {
    const address = this.#brokers.get(nodeId)
    if (address === undefined) throw new KafkaError('NETWORK_EXCEPTION', purpose, `broker ${nodeId} is not known`)
    return this.connectionTo(address, purpose)
  }

  connectionTo({ host, port }: { host: string; port: number }, purpose: Purpose): BrokerConnection {
    const id = `${host}:${port} ${purpose}`
    let connection = this.#connections.get(id)
    if (connection === undefined) {
      const { pool } = this.#deps
      const readBytes = purpose === 'fetch' ? FETCH_READ_BYTES : READ_BYTES
      connection = new BrokerConnection({ settings: this.#settings.connection, host, port, pool, readBytes })
      this.#connections.set(id, connection)
    }
    return connection
  }

  /**
   * Runs `attempt` until it succeeds; retries temporary KafkaErrors with backoff until the deadline, then throws the
   * MaxbrodError that `doing` ended in. What is not temporary is thrown at once.
   */
  async ask<T>(doing: string, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { clock, random } = this.#deps
    const startedAt = clock.monotonic()
    for (let n = 0; ; n++) {
      try {
        return await attempt()
      } catch (error) {
        if (error instanceof MaxbrodError) throw error
        const kafkaError =
          error instanceof UnsentError ? new KafkaError('NETWORK_EXCEPTION', doing, error.message, error) : error
        if (!(kafkaError instanceof KafkaError)) throw error
        const waitMs = backoffMs(BACKOFF, n, random.number)
        const deadlineMs = this.#isKnown ? this.#settings.deadlineMs : this.#settings.bootstrapDeadlineMs
        const isOver = clock.monotonic() - startedAt + waitMs > deadlineMs || signal?.aborted === true
        if (isOver || !isTemporary(kafkaError.error))
          throw this.#isKnown ? endingOf(kafkaError, doing) : this.#unreachable(kafkaError)
        await clock.sleep(waitMs, signal)
      }
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.destroy()
    this.#connections.clear()
  }

  async #askAnyBroker(topics: readonly string[] | undefined): Promise<MetadataAnswer> {
    const known = [...this.#brokers.values()].map(address => this.connectionTo(address, 'admin'))
    const bootstrap = this.#settings.bootstrapServers.map(address => this.connectionTo(address, 'admin'))
    const candidates = new Set([...(this.#lastGood === undefined ? [] : [this.#lastGood]), ...known, ...bootstrap])
    let failure: unknown
    for (const connection of candidates) {
      try {
        const version = await connection.version(METADATA.apiKey, METADATA.newest, METADATA.oldest)
        if (version === undefined)
          throw new MaxbrodError('KAFKA_TOO_OLD', `${connection.address} is older than Kafka 1.0`)
        const answer = await connection.send(metadataCall(version, topics))
        this.#lastGood = connection
        return answer
      } catch (error) {
        if (error instanceof KafkaError && kindOf(error.error) === 'denied') throw error
        failure = error
      }
    }
    throw failure
  }

  #learn({ brokers, topics }: MetadataAnswer, asked: readonly string[] | undefined): void {
    this.#isKnown = true
    this.#brokers = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    if (asked === undefined) this.#topics.clear()
    for (const topic of topics) {
      if (topic.errorCode === 0) this.#topics.set(topic.name, topic)
      else this.#topics.delete(topic.name)
    }
  }

  #unreachable(cause: KafkaError): MaxbrodError {
    if (kindOf(cause.error) === 'denied') return endingOf(cause, `log in to ${this.#where()}`)
    return new MaxbrodError('KAFKA_UNREACHABLE', `no broker of ${this.#where()} answers: ${cause.message}`, {
      cause,
      hint: 'check --bootstrap-server, the network, and whether the listener wants TLS or SASL (--command-config)',
    })
  }

  #where(): string {
    return this.#settings.bootstrapServers.map(({ host, port }) => `${host}:${port}`).join(',')
  }
}
