import { createRequire } from 'node:module'

/**
 * The files of kafkajs 2.2.4 that are used below its public face, with the types that its own declarations lack. The
 * package will not change any more; test/kafka/kafkajs-pin.test.ts holds the version and the SHA-256 of each file.
 */
export const internalFiles = [
  'src/network/connection.js',
  'src/network/connectionStatus.js',
  'src/network/socket.js',
  'src/broker/saslAuthenticator/index.js',
  'src/broker/saslAuthenticator/plain.js',
  'src/broker/saslAuthenticator/scram.js',
  'src/broker/saslAuthenticator/scram256.js',
  'src/broker/saslAuthenticator/scram512.js',
  'src/protocol/encoder.js',
  'src/protocol/decoder.js',
  'src/protocol/requests/index.js',
  'src/protocol/requests/apiKeys.js',
] as const

/** The requests whose codecs are kafkajs', and in which version. */
export const kafkajsRequests = {
  ApiVersions: 0,
  CreateTopics: 3,
  DeleteTopics: 1,
  DescribeAcls: 1,
  DescribeConfigs: 2,
  GroupCoordinator: 2,
  Heartbeat: 3,
  InitProducerId: 1,
  JoinGroup: 5,
  LeaveGroup: 3,
  OffsetFetch: 4,
  SyncGroup: 3,
} as const

export interface KafkajsSocket {
  readonly destroyed: boolean
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
  /** For TCP and TLS. */
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly enforceRequestTimeout: boolean
  readonly reauthenticationThreshold: number
  readonly logger: KafkajsLogger
  readonly socketFactory: (where: { host: string; port: number; ssl: object | null; onConnect: () => void }) => object
}

/** kafkajs' Connection: a socket with TLS and SASL. */
export declare class KafkajsConnection {
  constructor(settings: ConnectionSettings)
  readonly socket: KafkajsSocket | undefined
  readonly connectionStatus: string
  readonly clientId: string
  readonly sasl: object | null
  readonly requestTimeout: number
  connect(): Promise<unknown>
  authenticate(): Promise<void>
  isConnected(): boolean
  isAuthenticated(): boolean
  setVersions(versions: ApiVersions): void
  setSupportAuthenticationProtocol(isSupported: boolean): void
  nextCorrelationId(): number
  send<A>(protocol: KafkajsProtocol<A>): Promise<unknown>
  processData(data: Buffer): void
  rejectRequests(error: unknown): void
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
  /** `decode` reads the answer, `parse` throws for error codes in it. */
  readonly response: { decode(payload: Buffer): Promise<A>; parse(answer: A): Promise<unknown> }
}

type Requests = Record<string, { protocol(options: { version: number }): (args: object) => unknown }>

const require = createRequire(import.meta.url)

export const Connection = require('kafkajs/src/network/connection.js') as typeof KafkajsConnection

const requests = require('kafkajs/src/protocol/requests/index.js') as { requests: Requests }

/** A request of kafkajs' own codec; `A` is what its decoder gives, which the caller knows from the file. */
export function kafkajsRequest<A>(name: keyof typeof kafkajsRequests, args: object): KafkajsProtocol<A> {
  const definition = requests.requests[name]
  if (definition === undefined) throw new Error(`kafkajs has no request ${name}`)
  return definition.protocol({ version: kafkajsRequests[name] })(args) as KafkajsProtocol<A>
}
