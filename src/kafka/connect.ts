import type { Logger } from '../observe/logger.ts'
import type { Redactor } from '../observe/redact.ts'
import type { Vitals } from '../observe/vitals.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import type { Random } from '../runtime/random.ts'
import { connectionOf, parseClientProperties } from './client-properties.ts'
import type { ClientProperties, TlsOptions } from './client-properties.ts'
import { checkTls, freshTls } from './fresh-tls.ts'
import { openKafka } from './kafkajs/open.ts'
import { loginOf } from './login.ts'
import type { KafkaOptions } from './options.ts'
import type { Kafka } from './port.ts'
import { readServiceBinding } from './service-binding.ts'

export interface ConnectDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly redactor: Redactor
  readonly vitals: Vitals
  /** What the DNS lists now under --brokers-dns-srv. */
  readonly listAgain?: (() => Promise<readonly string[]>) | undefined
  readonly readFile: (path: string) => string
  /** Names in a folder. */
  readonly listFolder: (path: string) => string[]
}

const DEFAULT = 'localhost:9092'
const BOOTSTRAP_DEADLINE_MS = 15_000
/** Unused buffers of fetch answers: two of the largest are under way at a time. */
const POOL_BYTES = 64 * 1024 * 1024

/** The cluster that the options describe. Connects when first asked for something. Throws USAGE. */
export function connectKafka(options: KafkaOptions, deps: ConnectDeps): Kafka {
  const { clock, random, logger, redactor, vitals } = deps
  const properties = readProperties(options, deps)
  for (const secret of properties.secrets) redactor.hide(secret)
  const given =
    options.bootstrapServer.length > 0 ? options.bootstrapServer : (properties.bootstrapServers ?? DEFAULT).split(',')
  const { listAgain } = deps
  const bootstrapServers = given.map(address => parseAddress(address.trim()))
  if (properties.tls === null && bootstrapServers.some(({ host }) => !isLoopback(host)))
    logger.warn(
      { bootstrapServer: given.join(',') },
      'the connection to Kafka is not encrypted (neither security.protocol with SSL nor --kafka-mtls-auth)',
    )
  const whose = options.kafkaMtlsAuth
    ? '--kafka-mtls-auth'
    : options.commandConfig === undefined && options.serviceBinding !== undefined
      ? '--service-binding'
      : '--command-config'
  const tlsDeps = {
    read: () => readProperties(options, deps).tls,
    onChanged: () => logger.info(`the certificates of ${whose} have changed: new connections use the new ones`),
    onUnusable: (error: unknown) =>
      logger.warn({ err: error }, `the certificates of ${whose} cannot be used now: going on with the old ones`),
  }
  if (properties.tls !== null) refuseUnusable(properties.tls, whose)
  const tls = properties.tls === null ? null : freshTls(properties.tls, tlsDeps)
  const settings = {
    bootstrapServers,
    listAgain: listAgain && (async () => (await listAgain()).map(parseAddress)),
    clientId: 'maxbrod',
    tls,
    sasl:
      properties.sasl === null
        ? null
        : loginOf(properties.sasl, {
            clock,
            tls: tls ?? (() => ({})),
            brokers: bootstrapServers.map(({ host }) => host),
            hide: redactor.hideNewest(),
          }),
    bootstrapDeadlineMs: Math.min(BOOTSTRAP_DEADLINE_MS, options.kafkaDeadline),
    deadlineMs: options.kafkaDeadline,
    poolBytes: POOL_BYTES,
  }
  const level = options.kafkaLogLevel === undefined ? {} : { level: options.kafkaLogLevel }
  return openKafka(settings, { clock, random, vitals, log: logger.child({ component: 'kafka' }, level) })
}

function readProperties(options: KafkaOptions, { readFile, listFolder }: ConnectDeps): ClientProperties {
  const reader = (flag: string) => (path: string) => {
    try {
      return readFile(path)
    } catch (cause) {
      throw new MaxbrodError('USAGE', `${flag}: ${messageOf(cause)}`, { cause, path })
    }
  }
  const read = reader('--command-config')
  const { commandConfig, serviceBinding, bootstrapServer } = options
  // Who names brokers or a file means those, whatever is mounted.
  const isBound = serviceBinding !== undefined && commandConfig === undefined && bootstrapServer.length === 0
  const properties = isBound
    ? connectionOf(readServiceBinding(serviceBinding, { readFile, listFolder }), read)
    : parseClientProperties(commandConfig === undefined ? '' : read(commandConfig), read)
  if (!options.kafkaMtlsAuth) return properties
  const tls: TlsOptions = {
    ca: reader('--kafka-mtls-ca-cert-path')(options.kafkaMtlsCaCertPath),
    cert: reader('--kafka-mtls-client-cert-path')(options.kafkaMtlsClientCertPath),
    key: reader('--kafka-mtls-client-key-path')(options.kafkaMtlsClientKeyPath),
    minVersion: 'TLSv1.2',
  }
  return { ...properties, tls }
}

function refuseUnusable(tls: TlsOptions, whose: string): void {
  try {
    checkTls(tls)
  } catch (cause) {
    throw new MaxbrodError('USAGE', `${whose}: ${messageOf(cause)}`, {
      cause,
      hint: 'look at the PEM files that it names: openssl x509 -noout -text -in FILE',
    })
  }
}

/** `host:port`, `[::1]:port`, or a host with Kafka's usual port. */
function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:[A-Z_]+:\/\/)?(\[[0-9a-fA-F:]+\]|[^:/\s]+)(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[2] ?? 9092)
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new MaxbrodError('USAGE', `--bootstrap-server: '${text.replace(/[^/]*@/, '')}' is no address`, {
      hint: 'write it like broker-1:9092',
    })
  }
  return { host: match[1].replaceAll(/[[\]]/g, ''), port }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
