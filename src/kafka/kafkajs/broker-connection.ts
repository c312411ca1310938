import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { MaxbrodError, messageOf, systemCodeOf } from '../../runtime/errors.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { Certificates } from '../port/admin.ts'
import type { Call } from '../protocol/call.ts'
import { FrameConnection, UnsentError } from './frame-connection.ts'
import type { ExchangeOptions, WireRequest } from './frame-connection.ts'
import type { Frame } from './frame-reader.ts'
import { kafkajsRequest } from './internals.ts'
import type { ApiVersions, ConnectionSettings, KafkajsProtocol } from './internals.ts'

export interface BrokerConnectionOptions {
  readonly settings: Omit<ConnectionSettings, 'socketFactory' | 'enforceRequestTimeout' | 'host' | 'port' | 'ssl'> & {
    /** Options of node:tls, asked for each connection; or null for plain text. */
    readonly tls: (() => object) | null
  }
  readonly host: string
  readonly port: number
  readonly pool: BufferPool
  readonly readBytes: number
}

export type SendOptions = Partial<ExchangeOptions>

const SASL_AUTHENTICATE = 36

/**
 * One connection to one broker: connects when first used, learns the broker's API versions, authenticates, and sends
 * requests that wait for their answers in order. After an error of the socket the next request connects anew.
 * Every failure is a KafkaError; a lost or late answer is NETWORK_EXCEPTION or REQUEST_TIMED_OUT, and UnsentError says that
 * nothing was sent.
 */
export class BrokerConnection {
  readonly address: string
  readonly #options: BrokerConnectionOptions
  /** Open, or opening. */
  #connection: FrameConnection | undefined
  #opening: Promise<FrameConnection> | undefined
  #versions: ApiVersions = {}
  #isClosed = false

  constructor(options: BrokerConnectionOptions) {
    this.#options = options
    this.address = `${options.host}:${options.port}`
  }

  /** Resolves when the connection is open. */
  async open(): Promise<void> {
    await this.#open()
  }

  /** When the certificates of the open connection end; undefined without TLS. */
  certificates(): Certificates | undefined {
    return this.#connection?.certificates()
  }

  /** The newest version of an API that the broker and we know, or undefined when there is none. */
  async version(apiKey: number, newest: number, oldest: number): Promise<number | undefined> {
    await this.#open()
    const offered = this.#versions[apiKey]
    if (offered === undefined || offered.maxVersion < oldest || offered.minVersion > newest) return undefined
    return Math.min(newest, offered.maxVersion)
  }

  /** Sends a call and decodes its answer. */
  async send<A>(call: Call<A>, options: SendOptions = {}): Promise<A> {
    using frame = await this.sendForFrame(call, options)
    return await decodeWith(call.apiName, () => call.decode(frame.payload))
  }

  /** Sends a call; the answer's bytes are the caller's until it disposes of the frame. */
  async sendForFrame(call: Call<unknown>, options: SendOptions = {}): Promise<Frame> {
    return this.#exchange(call, options)
  }

  /** Sends a request of kafkajs' own codec. Error codes inside the answer are left to the caller. */
  async request<A>(protocol: KafkajsProtocol<A>, options: SendOptions = {}): Promise<A> {
    return exchangeWithKafkajs(protocol, wire => this.#exchange(wire, options))
  }

  /** Drops the connection at once; requests on their way fail with NETWORK_EXCEPTION. The next request connects anew. */
  destroy(): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#opening = undefined
    connection?.close('the connection was closed')
  }

  /** Drops the connection for good: further requests fail. */
  close(): void {
    this.#isClosed = true
    this.destroy()
  }

  async #exchange(wire: WireRequest, { timeoutMs, mayWrite }: SendOptions): Promise<Frame> {
    const connection = await this.#open()
    const { apiKey, apiName, version } = wire
    const offered = this.#versions[apiKey]
    if (offered === undefined || version < offered.minVersion || version > offered.maxVersion)
      throw new KafkaError('UNSUPPORTED_VERSION', apiName, `${this.address} does not offer version ${version}`)
    return connection.exchange(wire, { timeoutMs: timeoutMs ?? this.#options.settings.requestTimeout, mayWrite })
  }

  async #open(): Promise<FrameConnection> {
    if (this.#isClosed) throw new UnsentError('Connect', `the connection to ${this.address} was closed for good`)
    if (this.#opening === undefined && this.#connection?.isConnected() === true) return this.#connection
    this.#opening ??= this.#connect()
    return this.#opening
  }

  async #connect(): Promise<FrameConnection> {
    const { settings, host, port, pool, readBytes } = this.#options
    const { tls, ...more } = settings
    const ssl = tls === null ? null : tls()
    const connection = new FrameConnection({ ...more, ssl, host, port }, pool, readBytes)
    this.#connection = connection
    try {
      await connection.connect()
      const versions = await askVersions(connection, settings.connectionTimeout)
      connection.setVersions(versions)
      connection.setSupportAuthenticationProtocol(versions[SASL_AUTHENTICATE] !== undefined)
      if (settings.sasl !== null) await connection.login()
      this.#versions = versions
      return connection
    } catch (cause) {
      connection.close('it could not be opened')
      if (cause instanceof MaxbrodError) throw cause
      const said = plainReason(cause instanceof KafkaError ? cause.detail : messageOf(cause))
      const detail = said === undefined ? undefined : withLikelyReason(said)
      const error = isDistrust(cause)
        ? 'SSL_AUTHENTICATION_FAILED'
        : cause instanceof KafkaError
          ? cause.error
          : 'NETWORK_EXCEPTION'
      throw new KafkaError(error, `Connect to ${this.address}`, detail, cause)
    } finally {
      // After destroy() another attempt may be under way.
      if (this.#connection === connection) this.#opening = undefined
    }
  }
}

/** Of OpenSSL's line of codes, functions and files, the part that is for people. */
function plainReason(detail: string | undefined): string | undefined {
  const reason = /[0-9A-F]+:error:[0-9A-F]*:[^:]*:[^:]*:([^:]*):/.exec(detail ?? '')?.[1]
  if (reason === undefined) return detail
  return reason.includes('alert') ? `the other side says: ${reason}` : reason
}

/** How it looks from here when the listener is of another kind than `security.protocol` says. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [
    /wrong version number|packet length too long|before secure TLS connection was established/i,
    'a listener that speaks no TLS ends a connection so',
  ],
  [/not valid given the current SASL state/i, 'a listener that wants no login answers so'],
]

function withLikelyReason(message: string): string {
  const [, reason] = OTHER_KINDS.find(([sign]) => sign.test(message)) ?? []
  return reason === undefined ? message : `${message}; ${reason}`
}

/** True when one side refused the other's certificate: OpenSSL's reasons, and what it calls the alerts of the other side. */
function isDistrust(error: unknown): boolean {
  const code = systemCodeOf(error) ?? ''
  if (/CERT|ISSUER|LEAF_SIGNATURE|UNKNOWN_CA/.test(code)) return true
  return error instanceof Error && error.cause !== undefined && isDistrust(error.cause)
}

async function askVersions(connection: FrameConnection, timeoutMs: number): Promise<ApiVersions> {
  type Answer = { apiVersions: { apiKey: number; minVersion: number; maxVersion: number }[] }
  const protocol = kafkajsRequest<Answer>('ApiVersions', {})
  const { apiVersions } = await exchangeWithKafkajs(protocol, wire => connection.exchange(wire, { timeoutMs }))
  return Object.fromEntries(
    apiVersions.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { minVersion, maxVersion }]),
  )
}

async function exchangeWithKafkajs<A>(
  { request, response }: KafkajsProtocol<A>,
  send: (wire: WireRequest) => Promise<Frame>,
): Promise<A> {
  const { apiKey, apiName, apiVersion } = request
  const { buffer } = await request.encode()
  using frame = await send({ apiKey, apiName, version: apiVersion, pieces: [buffer] })
  // kafkajs' decoders may keep slices of what they are given.
  return await decodeWith(apiName, () => response.decode(Buffer.from(frame.payload)))
}

async function decodeWith<A>(apiName: string, decode: () => A | Promise<A>): Promise<A> {
  try {
    return await decode()
  } catch (cause) {
    throw new KafkaError('CORRUPT_MESSAGE', apiName, `an answer that cannot be decoded: ${messageOf(cause)}`, cause)
  }
}
