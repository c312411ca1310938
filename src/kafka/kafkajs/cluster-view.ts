import { Aborted } from '../../runtime/aborted.ts'
import { must } from '../../runtime/assert.ts'
import type { BufferPool } from '../../runtime/buffer-pool.ts'
import type { Clock } from '../../runtime/clock.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { Random } from '../../runtime/random.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { within } from '../../runtime/within.ts'
import { KafkaError, endingOf, kindOf } from '../kafka-errors.ts'
import type { Leader, Routes } from '../port.ts'
import { METADATA, metadataCall } from '../protocol/metadata.ts'
import type { MetadataAnswer } from '../protocol/metadata.ts'
import type { BrokerConnection, BrokerConnectionOptions } from './broker-connection.ts'
import { Connections } from './connections.ts'
import type { Address, Purpose } from './connections.ts'
import { firstAnswer } from './first-answer.ts'
import { HearAnother } from './hear-another.ts'
import type { HearAnotherDeps } from './hear-another.ts'
import { KnownCluster } from './known-cluster.ts'
import { PatientAsking } from './patient-asking.ts'

export interface ClusterSettings {
  readonly bootstrapServers: readonly Address[]
  /** Where the list is kept, if it is: asked again when no broker that is known answers. */
  readonly listAgain?: (() => Promise<readonly Address[]>) | undefined
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

/** How long one broker is waited for before another one is asked, too. */
const PATIENCE_MS = 1_000
/** Between two looks at a list of brokers, and how long one may take. */
const LIST_MS = 5_000

/** The cluster as its metadata shows it, and the connections to its brokers. */
export class ClusterView implements Routes {
  readonly connections: Connections
  readonly #settings: ClusterSettings
  readonly #deps: ClusterDeps
  readonly #known = new KnownCluster()
  readonly #closing = new AbortController()
  readonly #refreshing = new Map<string, Promise<void>>()
  readonly #asking: PatientAsking
  readonly #another: HearAnother
  #bootstrapServers: readonly Address[]
  #listedAtMs = -Infinity
  #lastGood: readonly Address[] = []

  constructor(settings: ClusterSettings, deps: ClusterDeps) {
    this.#settings = settings
    this.#bootstrapServers = settings.bootstrapServers
    this.#deps = deps
    this.connections = new Connections(settings.connection, deps.pool)
    this.#asking = new PatientAsking({
      ...deps,
      leftMs: startedAtMs => this.#leftMs(startedAtMs),
      endingOf: (cause, doing) => this.#endingOf(cause, doing),
      closing: this.#closing.signal,
    })
    const metadataOf: HearAnotherDeps['metadataOf'] = (address, topics) =>
      this.#metadataOf(this.connections.to(address, 'admin'), topics)
    this.#another = new HearAnother({ clock: deps.clock, known: this.#known, metadataOf })
  }

  /** Fresh metadata of the named topics, or of all. */
  async metadata(topics: readonly string[] | undefined, signal?: AbortSignal): Promise<MetadataAnswer> {
    const answer = await this.ask(`ask ${this.#where()} for metadata`, () => this.#askForMetadata(topics), signal)
    this.#known.learn(answer, topics)
    void this.#another.hear(topics)
    return answer
  }

  leader(partition: TopicPartition): Leader | undefined {
    return this.#known.leader(partition)
  }

  async refresh(topics: readonly string[]): Promise<void> {
    const id = topics.join()
    let refreshing = this.#refreshing.get(id)
    if (refreshing === undefined) {
      refreshing = this.#refresh(topics).finally(() => this.#refreshing.delete(id))
      this.#refreshing.set(id, refreshing)
    }
    await refreshing
  }

  /** True for a broker that metadata named last. */
  knows(nodeId: number): boolean {
    return this.#known.address(nodeId) !== undefined
  }

  /** A connection to such a broker. */
  connection(nodeId: number, purpose: Purpose): BrokerConnection {
    const address = this.#known.address(nodeId)
    if (address === undefined) throw new KafkaError('NETWORK_EXCEPTION', purpose, `broker ${nodeId} is not known`)
    return this.connections.to(address, purpose)
  }

  /** For requests that every broker serves: whichever answers first. The last one that did is asked first. */
  async anyBroker<T>(request: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    const all = [...this.#lastGood, ...this.#known.addresses, ...this.#bootstrapServers]
    const candidates = new Map(all.map(address => [`${address.host}:${address.port}`, address]))
    const ask = async (address: Address) => ({ answer: await request(this.connections.to(address, 'admin')), address })
    const isFinal = (error: unknown) => error instanceof KafkaError && kindOf(error.error) === 'denied'
    const options = { clock: this.#deps.clock, patienceMs: PATIENCE_MS, isFinal }
    try {
      const { answer, address } = await firstAnswer([...candidates.values()], ask, options)
      this.#lastGood = [address]
      return answer
    } catch (error) {
      if (!isFinal(error)) await this.#listAgain()
      throw error
    }
  }

  /** The id of some broker, not always of the same one. */
  async someNode(): Promise<number> {
    const { brokers } = await this.metadata([])
    const { nodeId } = must(brokers[Math.floor(this.#deps.random.number() * brokers.length)], 'broker')
    return nodeId
  }

  /** See PatientAsking. */
  ask<T>(doing: string, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#asking.ask(doing, attempt, signal)
  }

  /** The result of `work` if it comes within `ms`, else undefined. */
  within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    return within(this.#deps.clock, ms, work)
  }

  close(): void {
    this.#closing.abort(new Aborted('the connection to Kafka was closed'))
    this.connections.close()
  }

  #leftMs(startedAt: number): number {
    const { bootstrapDeadlineMs, deadlineMs } = this.#settings
    return (this.#known.isKnown ? deadlineMs : bootstrapDeadlineMs) - (this.#deps.clock.monotonic() - startedAt)
  }

  #askForMetadata(topics: readonly string[] | undefined): Promise<MetadataAnswer> {
    return this.anyBroker(connection => this.#metadataOf(connection, topics))
  }

  async #metadataOf(connection: BrokerConnection, topics: readonly string[] | undefined): Promise<MetadataAnswer> {
    const version = await connection.version(METADATA.apiKey, METADATA.newest, METADATA.oldest)
    if (version === undefined) throw new MaxbrodError('KAFKA_TOO_OLD', `${connection.address} is older than Kafka 1.0`)
    const answer = await connection.send(metadataCall(version, topics))
    this.#known.requireSame(answer.clusterId, this.#where())
    // A broker that is just starting may know nobody, and no topics.
    if (answer.brokers.length === 0) throw new KafkaError('NETWORK_EXCEPTION', 'Metadata', 'it names no brokers')
    return answer
  }

  /** All that is known may be gone, and the list name others by now: who asked tries again. */
  async #listAgain(): Promise<void> {
    const { clock } = this.#deps
    const { listAgain } = this.#settings
    if (listAgain === undefined || clock.monotonic() - this.#listedAtMs < LIST_MS) return
    this.#listedAtMs = clock.monotonic()
    const listed = await within(
      clock,
      LIST_MS,
      listAgain().catch(() => []),
    )
    if (listed !== undefined && listed.length > 0) this.#bootstrapServers = listed
  }

  async #refresh(topics: readonly string[]): Promise<void> {
    try {
      this.#known.learn(await this.#askForMetadata(topics), topics)
    } catch {
      // What was known stays; whoever needs more hears of the trouble from the broker itself.
    }
  }

  #endingOf(cause: KafkaError, doing: string): MaxbrodError {
    if (this.#known.isKnown) return endingOf(cause, doing)
    if (kindOf(cause.error) === 'denied') return endingOf(cause, `cannot log in to ${this.#where()}`)
    return new MaxbrodError('KAFKA_UNREACHABLE', `no broker of ${this.#where()} answers: ${cause.message}`, {
      cause,
      hint: 'check --bootstrap-server, the network, and whether the listener wants TLS or SASL (--command-config)',
    })
  }

  #where(): string {
    return this.#bootstrapServers.map(({ host, port }) => `${host}:${port}`).join(',')
  }
}
