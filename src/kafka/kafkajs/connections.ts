import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { BrokerConnection } from './broker-connection.ts'
import type { BrokerConnectionOptions } from './broker-connection.ts'

/**
 * What a connection is for. Kafka serves one request at a time per connection, so what must not wait has its own; appenders,
 * members of groups, and commits from outside of one, are numbered.
 */
export type Purpose =
  | 'admin'
  | 'fetch'
  | `membership ${number}`
  | `commit ${number}`
  | `outside ${number}`
  | `produce ${number}`

export interface Address {
  readonly host: string
  readonly port: number
}

/** Answers of a fetch are large, others are not. */
const FETCH_READ_BYTES = 256 * 1024
const READ_BYTES = 16 * 1024

/** One connection per broker and purpose. */
export class Connections {
  readonly #settings: BrokerConnectionOptions['settings']
  readonly #pool: BufferPool
  readonly #byPurpose = new Map<Purpose, Map<string, BrokerConnection>>()
  #isClosed = false

  constructor(settings: BrokerConnectionOptions['settings'], pool: BufferPool) {
    this.#settings = settings
    this.#pool = pool
  }

  to({ host, port }: Address, purpose: Purpose): BrokerConnection {
    let connections = this.#byPurpose.get(purpose)
    if (connections === undefined) this.#byPurpose.set(purpose, (connections = new Map()))
    const address = `${host}:${port}`
    let connection = connections.get(address)
    if (connection === undefined) {
      const readBytes = purpose === 'fetch' ? FETCH_READ_BYTES : READ_BYTES
      connection = new BrokerConnection({ settings: this.#settings, host, port, pool: this.#pool, readBytes })
      connections.set(address, connection)
      if (this.#isClosed) connection.close()
    }
    return connection
  }

  /** Drops the connections of one purpose; requests on their way fail, later ones connect anew. */
  reset(purpose: Purpose): void {
    for (const connection of this.#byPurpose.get(purpose)?.values() ?? []) connection.destroy()
  }

  /** Drops the connections of one purpose for good. */
  drop(purpose: Purpose): void {
    for (const connection of this.#byPurpose.get(purpose)?.values() ?? []) connection.close()
    this.#byPurpose.delete(purpose)
  }

  close(): void {
    this.#isClosed = true
    for (const purpose of this.#byPurpose.keys()) this.drop(purpose)
  }
}
