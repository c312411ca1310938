import { KafkaError, isTemporary, kafkaErrorName } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import { FIND_COORDINATORS, findCoordinatorsCall } from '../protocol/find-coordinators.ts'
import type { BrokerConnection } from './broker-connection.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Address, Purpose } from './connections.ts'
import { findCoordinator } from './group-requests.ts'

/** The broker looks each one up in memory; a bound keeps requests small. */
const PER_REQUEST = 1_000
/** Connections to a coordinator: it serves one request at a time on each, and a commit waits for the disk. */
const CONNECTIONS = 8

/** Who coordinates which group, as far as it was asked for and nothing spoke against it since. */
export class Coordinators {
  readonly #view: ClusterView
  readonly #known = new Map<string, Address>()
  #turn = 0

  constructor(view: ClusterView) {
    this.#view = view
  }

  /**
   * Finds those of the groups that are not known yet, many in one request where brokers take that. Answers which of them have
   * none for good; throws KafkaError when it may be another one, or found, a moment later.
   */
  async find(groups: readonly string[]): Promise<ReadonlyMap<string, KafkaErrorName>> {
    const unknown = groups.filter(group => !this.#known.has(group))
    const failed = new Map<string, KafkaErrorName>()
    for (let at = 0; at < unknown.length; at += PER_REQUEST) {
      const some = unknown.slice(at, at + PER_REQUEST)
      const found = await this.#view.anyBroker(connection => ask(connection, some))
      for (const { group, host, port, errorCode } of found) {
        const error = kafkaErrorName(errorCode)
        if (error === undefined) this.#known.set(group, { host, port })
        else if (isTemporary(error)) throw new KafkaError(error, 'FindCoordinator', group)
        else failed.set(group, error)
      }
    }
    return failed
  }

  /** A connection to the group's coordinator, of several that take turns. */
  async of(group: string): Promise<BrokerConnection> {
    const error = (await this.find([group])).get(group)
    const address = this.#known.get(group)
    if (error !== undefined || address === undefined)
      throw new KafkaError(error ?? 'COORDINATOR_NOT_AVAILABLE', 'FindCoordinator', group)
    const purpose: Purpose = `outside ${this.#turn++ % CONNECTIONS}`
    return this.#view.connections.to(address, purpose)
  }

  /** The groups by their coordinator, of those that are known. */
  byAddress(groups: readonly string[]): [Address, string[]][] {
    const byName = new Map<string, [Address, string[]]>()
    for (const group of groups) {
      const address = this.#known.get(group)
      if (address === undefined) continue
      const name = `${address.host}:${address.port}`
      const entry = byName.get(name)
      if (entry === undefined) byName.set(name, [address, [group]])
      else entry[1].push(group)
    }
    return [...byName.values()]
  }

  /** Another broker may coordinate it now. */
  forget(group: string): void {
    this.#known.delete(group)
  }
}

async function ask(connection: BrokerConnection, groups: readonly string[]) {
  const { apiKey, newest, oldest } = FIND_COORDINATORS
  if ((await connection.version(apiKey, newest, oldest)) !== undefined)
    return connection.send(findCoordinatorsCall(groups))
  return Promise.all(groups.map(group => findCoordinator(connection, group)))
}
