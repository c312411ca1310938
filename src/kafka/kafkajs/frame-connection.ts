import { TLSSocket } from 'node:tls'
import type { BufferPool } from '../../runtime/buffer-pool.ts'
import { MaxbrodError, messageOf } from '../../runtime/errors.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { Certificates } from '../port/admin.ts'
import { FrameReader } from './frame-reader.ts'
import type { Frame } from './frame-reader.ts'
import { openSocket } from './frame-socket.ts'
import { Connection } from './internals.ts'
import type { ConnectionSettings, KafkajsProtocol } from './internals.ts'

/** A request behind its header, in pieces that are sent without being joined. */
export interface WireRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly version: number
  readonly pieces: readonly Uint8Array[]
}

export interface ExchangeOptions {
  /** How long to wait for the answer. */
  readonly timeoutMs: number
  /** Asked in the moment before the bytes go to the socket; when it says no, nothing is sent. */
  readonly mayWrite?: (() => boolean) | undefined
}

/** Fails a request of which not a byte left this process. */
export class UnsentError extends KafkaError {
  constructor(request: string, reason: string) {
    super('NETWORK_EXCEPTION', request, reason)
  }
}

type Waiting = Pick<PromiseWithResolvers<Frame>, 'resolve' | 'reject'> & { readonly apiName: string }

/** ApiVersions, SaslHandshake and SaslAuthenticate come before the login. */
const BEFORE_LOGIN = [18, 17, 36]

/**
 * kafkajs' connection, of which sockets, TLS and SASL are used, with another way of sending and reading: the socket
 * puts an answer in its place, each request has a deadline of its own on the monotonic clock, and an idle connection
 * needs no timer. (kafkajs' queue keeps two timers going, one of them with negative delays: its issues 1556 and 1751.)
 */
export class FrameConnection extends Connection {
  readonly #waiting = new Map<number, Waiting>()
  readonly #reader: FrameReader
  #lostDuringLogin: KafkaError | undefined

  /** Between answers the socket reads into a buffer of `readBytes`, inside of one right into its frame. */
  constructor(
    settings: Omit<ConnectionSettings, 'socketFactory' | 'enforceRequestTimeout'>,
    pool: BufferPool,
    readBytes: number,
  ) {
    super({
      ...settings,
      enforceRequestTimeout: false,
      socketFactory: where =>
        openSocket(where, readBytes, {
          place: () => this.#reader.place,
          onChunk: chunk => this.processData(chunk),
          onClose: () => this.rejectRequests(new Error('the connection was closed')),
        }),
    })
    this.#reader = new FrameReader(pool, (correlationId, frame) => {
      // An answer that nobody waits for is left to the garbage collector.
      this.#waiting.get(correlationId)?.resolve(frame)
    })
  }

  /** False as soon as the other side has hung up: kafkajs says so a little later, and a request would wait in vain. */
  override isConnected(): boolean {
    return this.connectionStatus === 'connected' && this.socket?.destroyed === false
  }

  /** When the certificates of both sides end; undefined without TLS. */
  certificates(): Certificates | undefined {
    const { socket } = this
    if (!(socket instanceof TLSSocket)) return undefined
    return { brokerEndsAt: endOf(socket.getPeerCertificate()), ownEndsAt: endOf(socket.getCertificate()) }
  }

  override processData(chunk: Buffer): void {
    try {
      this.#reader.read(chunk)
    } catch (error) {
      this.close(messageOf(error))
    }
  }

  /** Fails all requests on their way. kafkajs calls it when the socket ends or fails. */
  override rejectRequests(cause: unknown): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { apiName, reject } of waiting)
      reject(new KafkaError('NETWORK_EXCEPTION', apiName, messageOf(cause), cause))
  }

  /** Hangs up at once; requests on their way fail with NETWORK_EXCEPTION. Also while it is still connecting. */
  close(reason: string): void {
    const cause = new Error(reason)
    this.rejectRequests(cause)
    this.socket?.destroy(cause)
  }

  /**
   * Sends one request and waits for its answer. Rejects with KafkaError. After a time-out the connection is closed: a broker
   * answers in order, so all behind the late answer are late, too, and bytes of the request may still wait in the socket.
   */
  async exchange(wire: WireRequest, { timeoutMs, mayWrite }: ExchangeOptions): Promise<Frame> {
    const { apiKey, apiName, pieces } = wire
    if (this.sasl !== null && !BEFORE_LOGIN.includes(apiKey) && !this.isAuthenticated()) await this.login()
    const { socket } = this
    if (!this.isConnected() || socket === undefined) throw new UnsentError(apiName, 'not connected')
    if (mayWrite?.() === false) throw new UnsentError(apiName, 'a check before the write said no')
    const correlationId = this.nextCorrelationId()
    const { promise, resolve, reject } = Promise.withResolvers<Frame>()
    const timer = setTimeout(() => {
      reject(new KafkaError('REQUEST_TIMED_OUT', apiName, `no answer within ${timeoutMs} ms`))
      this.close(`${apiName} was not answered within ${timeoutMs} ms`)
    }, timeoutMs)
    this.#waiting.set(correlationId, { apiName, resolve, reject })
    socket.cork()
    socket.write(requestHeader(wire, correlationId, this.clientId))
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(correlationId)
    }
  }

  /** Logs in, or again when the broker limits how long a login holds. What the broker refuses is SASL_AUTHENTICATION_FAILED. */
  async login(): Promise<void> {
    this.#lostDuringLogin = undefined
    try {
      await this.authenticate()
    } catch (cause) {
      // Why there is no token; what of that may heal is tried again.
      if (cause instanceof KafkaError || cause instanceof MaxbrodError) throw cause
      // kafkajs calls every failure a refusal, that of the network, too.
      throw this.#lostDuringLogin ?? new KafkaError('SASL_AUTHENTICATION_FAILED', 'Login', messageOf(cause), cause)
    }
  }

  /** How kafkajs' login sends its requests. */
  override async send<A>({ request, response }: KafkajsProtocol<A>): Promise<unknown> {
    const { apiKey, apiName, apiVersion } = request
    const { buffer } = await request.encode()
    const wire = { apiKey, apiName, version: apiVersion, pieces: [buffer] }
    let payload: Buffer
    try {
      using frame = await this.exchange(wire, { timeoutMs: this.requestTimeout })
      payload = Buffer.from(frame.payload)
    } catch (error) {
      if (error instanceof KafkaError) this.#lostDuringLogin = error
      throw error
    }
    return response.parse(await response.decode(payload))
  }
}

/** Node gives an empty object, or null, where there is no certificate. */
function endOf(certificate: object | null): number | undefined {
  const end = certificate !== null && 'valid_to' in certificate ? Date.parse(String(certificate.valid_to)) : Number.NaN
  return Number.isNaN(end) ? undefined : end
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
