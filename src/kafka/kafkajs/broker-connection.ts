import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { Call } from '../protocol/call.ts'
import { FrameConnection } from './frame-connection.ts'
import type { Frame } from './frame-connection.ts'
import { kafkajsRequest } from './internals.ts'
import type { ApiVersions, ConnectionSettings, KafkajsProtocol } from './internals.ts'

export interface BrokerConnectionOptions {
  readonly settings: Omit<ConnectionSettings, 'socketFactory' | 'host' | 'port'>
  readonly host: string
  readonly port: number
  readonly pool: BufferPool
  readonly readBytes: number
}

export interface SendOptions {
  /** How long to wait for the answer. */
  readonly timeoutMs?: number | undefined
  /** Asked just before the bytes go to the socket; when it says no, nothing is sent and the send fails with UnsentError. */
  readonly mayWrite?: (() => boolean) | undefined
}

/** Fails a send of which not a byte left this process. */
export class UnsentError extends Error {
  override readonly name = 'UnsentError'
}

const API_VERSIONS = 18
const SASL_AUTHENTICATE = 36

/**
 * One connection to one broker: connects when first used, learns the broker's API versions, authenticates, and sends
 * requests that wait for their answers in order. After an error of the socket the next request connects anew.
 * Every failure is a KafkaError; a lost or late answer is NETWORK_EXCEPTION or REQUEST_TIMED_OUT.
 */
export class BrokerConnection {
  readonly address: string
  readonly #options: BrokerConnectionOptions
  #connection: FrameConnection | undefined
  #opening: Promise<FrameConnection> | undefined
  #versions: ApiVersions = {}

  constructor(options: BrokerConnectionOptions) {
    this.#options = options
    this.address = `${options.host}:${options.port}`
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
    const { apiKey, apiName, version, pieces } = call
    return this.#exchange({ apiKey, apiName, version, pieces }, options)
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
    if (connection !== undefined) close(connection)
  }

  async #exchange(wire: WireRequest, options: SendOptions): Promise<Frame> {
    const connection = await this.#open()
    try {
      return await exchange(connection, wire, options, this.#options.settings.requestTimeout)
    } catch (error) {
      // A broker answers in order, so one late answer holds up all behind it, and bytes of the request may still wait.
      if (error instanceof KafkaError && error.error === 'REQUEST_TIMED_OUT' && connection === this.#connection)
        this.destroy()
      throw error
    }
  }

  #open(): Promise<FrameConnection> {
    if (this.#connection?.isConnected() === true) return Promise.resolve(this.#connection)
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #connect(): Promise<FrameConnection> {
    const { settings, host, port, pool, readBytes } = this.#options
    const connection = new FrameConnection({ ...settings, host, port }, pool, readBytes)
    try {
      await connection.connect()
      this.#versions = await askVersions(connection, settings.connectionTimeout)
      connection.setVersions(this.#versions)
      connection.setSupportAuthenticationProtocol(this.#versions[SASL_AUTHENTICATE] !== undefined)
      await connection.authenticate()
    } catch (cause) {
      close(connection)
      throw asKafkaError(cause, `Connect to ${this.address}`)
    }
    this.#connection = connection
    return connection
  }
}

interface WireRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly version: number
  readonly pieces: readonly Uint8Array[]
}

async function askVersions(connection: FrameConnection, timeoutMs: number): Promise<ApiVersions> {
  type Answer = { apiVersions: { apiKey: number; minVersion: number; maxVersion: number }[] }
  const protocol = kafkajsRequest<Answer>('ApiVersions', 0, {})
  const { apiVersions } = await exchangeWithKafkajs(protocol, wire => exchange(connection, wire, {}, timeoutMs))
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

async function exchange(
  connection: FrameConnection,
  wire: WireRequest,
  { timeoutMs, mayWrite }: SendOptions,
  defaultTimeoutMs: number,
): Promise<Frame> {
  const { apiKey, apiName, version, pieces } = wire
  // kafkajs' queue never waits for less than its own default.
  const impatience = new AbortController()
  const timer =
    timeoutMs !== undefined && timeoutMs < defaultTimeoutMs
      ? setTimeout(() => impatience.abort(), timeoutMs)
      : undefined
  try {
    if (apiKey !== API_VERSIONS && !connection.isAuthenticated()) await connection.authenticate()
    const correlationId = connection.nextCorrelationId()
    const header = requestHeader(wire, correlationId, connection.clientId)
    const { payload } = await new Promise<{ payload: Frame }>((resolve, reject) => {
      impatience.signal.addEventListener('abort', () => reject(new KafkaError('REQUEST_TIMED_OUT', apiName)))
      const sendRequest = () => {
        const { socket } = connection
        if (!connection.isConnected() || socket === undefined) throw new UnsentError('not connected')
        if (mayWrite?.() === false) throw new UnsentError('a check before the write said no')
        socket.cork()
        socket.write(header)
        for (const piece of pieces) socket.write(piece)
        socket.uncork()
      }
      const entry = { apiKey, apiName, apiVersion: version, correlationId, resolve, reject }
      try {
        connection.requestQueue.push({
          entry,
          expectResponse: true,
          requestTimeout: timeoutMs ?? defaultTimeoutMs,
          sendRequest,
        })
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    return payload
  } catch (cause) {
    throw cause instanceof UnsentError ? cause : asKafkaError(cause, apiName)
  } finally {
    clearTimeout(timer)
  }
}

/** Size and request header v1; the client id and what follows are the same in v2 up to its tag buffer. */
function requestHeader({ apiKey, version, pieces }: WireRequest, correlationId: number, clientId: string): Buffer {
  const idBytes = Buffer.byteLength(clientId)
  const header = Buffer.allocUnsafe(14 + idBytes)
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, header.length - 4)
  header.writeInt32BE(bytes, 0)
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(version, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(idBytes, 12)
  header.write(clientId, 14)
  return header
}

async function decodeWith<A>(apiName: string, decode: () => A | Promise<A>): Promise<A> {
  try {
    return await decode()
  } catch (cause) {
    throw new KafkaError(
      'CORRUPT_MESSAGE',
      apiName,
      `an answer that cannot be decoded: ${cause instanceof Error ? cause.message : ''}`,
      cause,
    )
  }
}

function close(connection: FrameConnection): void {
  connection.requestQueue.rejectAll(new Error('the connection was closed'))
  connection.requestQueue.destroy()
  connection.socket?.destroy()
}

/** kafkajs' errors by their names: a time-out, a refused login, else the network. */
function asKafkaError(cause: unknown, request: string): KafkaError {
  if (cause instanceof KafkaError) return cause
  const name = cause instanceof Error ? cause.name : ''
  const detail = cause instanceof Error ? cause.message : String(cause)
  if (name === 'KafkaJSRequestTimeoutError') return new KafkaError('REQUEST_TIMED_OUT', request, undefined, cause)
  if (name.startsWith('KafkaJSSASLAuthentication'))
    return new KafkaError('SASL_AUTHENTICATION_FAILED', request, detail, cause)
  return new KafkaError('NETWORK_EXCEPTION', request, detail, cause)
}
