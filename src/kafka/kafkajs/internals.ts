import { createRequire } from 'node:module'

/**
 * The files of kafkajs 2.2.4 that are used below its public face, with the types that its own declarations lack. The
 * package will not change any more; test/kafka/kafkajs-pin.test.ts holds the version and the SHA-256 of each file.
 */
export const internalFiles = [
  'src/network/connection.js',
  'src/network/requestQueue/index.js',
  'src/network/requestQueue/socketRequest.js',
  'src/network/socket.js',
  'src/protocol/encoder.js',
  'src/protocol/decoder.js',
  'src/protocol/requests/index.js',
  'src/protocol/requests/apiKeys.js',
  'src/broker/saslAuthenticator/index.js',
] as const

/** The answer to one request, in place of kafkajs' payload: see FrameConnection. */
export interface RequestEntry<P> {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly correlationId: number
  readonly resolve: (answer: { payload: P }) => void
  readonly reject: (error: unknown) => void
}

export interface RequestQueue<P> {
  push(request: {
    entry: RequestEntry<P>
    expectResponse: boolean
    requestTimeout: number
    sendRequest: () => void
  }): void
  fulfillRequest(answer: { correlationId: number; payload: P; size: number }): void
  rejectAll(error: unknown): void
  maybeThrottle(ms: number): void
  destroy(): void
  scheduleCheckPendingRequests(): void
  readonly pending: readonly unknown[]
}

export interface KafkajsSocket {
  write(bytes: Uint8Array): boolean
  cork(): void
  uncork(): void
  destroy(error?: Error): void
}

export interface KafkajsLogger {
  namespace(name: string): KafkajsLogger
  error(message: string, extra?: object): void
  warn(message: string, extra?: object): void
  info(message: string, extra?: object): void
  debug(message: string, extra?: object): void
}

export interface ConnectionSettings {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly ssl: object | null
  readonly sasl: object | null
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly reauthenticationThreshold: number
  readonly logger: KafkajsLogger
  readonly socketFactory: (where: { host: string; port: number; ssl: object | null; onConnect: () => void }) => object
}

/** kafkajs' Connection: a socket with TLS, SASL and a queue of requests. */
export declare class KafkajsConnection<P> {
  constructor(settings: ConnectionSettings)
  readonly requestQueue: RequestQueue<P>
  readonly socket: KafkajsSocket | undefined
  readonly authHandlers: object | null
  readonly clientId: string
  connect(): Promise<unknown>
  authenticate(): Promise<void>
  isConnected(): boolean
  isAuthenticated(): boolean
  setVersions(versions: ApiVersions): void
  setSupportAuthenticationProtocol(isSupported: boolean): void
  nextCorrelationId(): number
  processData(data: Buffer): void
}

export type ApiVersions = Record<number, { minVersion: number; maxVersion: number }>

/** One version of one API of kafkajs: how a request is written and its answer read. */
export interface KafkajsProtocol<A> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<{ readonly buffer: Buffer }>
  }
  readonly response: { decode(payload: Buffer): Promise<A> }
  readonly requestTimeout?: number
}

type Requests = Record<string, { protocol(options: { version: number }): (args: object) => unknown }>

const require = createRequire(import.meta.url)

export const Connection = require('kafkajs/src/network/connection.js') as typeof KafkajsConnection

const requests = require('kafkajs/src/protocol/requests/index.js') as { requests: Requests }

/** A request of kafkajs' own codec; `A` is what its decoder gives, which the caller knows from the file. */
export function kafkajsRequest<A>(name: string, version: number, args: object): KafkajsProtocol<A> {
  const definition = requests.requests[name]
  if (definition === undefined) throw new Error(`kafkajs has no request ${name}`)
  return definition.protocol({ version })(args) as KafkajsProtocol<A>
}
