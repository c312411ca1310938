import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Random } from '../runtime/random.ts'
import { parseClientProperties } from './client-properties.ts'
import type { ClientProperties } from './client-properties.ts'
import { openKafka } from './kafkajs/open.ts'
import type { KafkaOptions } from './options.ts'
import type { Kafka } from './port.ts'

export interface ConnectDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly readFile: (path: string) => string
}

const DEFAULT = 'localhost:9092'
const BOOTSTRAP_DEADLINE_MS = 15_000
/** Unused buffers of fetch answers: two of the largest are under way at a time. */
const POOL_BYTES = 64 * 1024 * 1024

/** The cluster that the options describe. Connects when first asked for something. Throws USAGE. */
export function connectKafka(options: KafkaOptions, { clock, random, logger, readFile }: ConnectDeps): Kafka {
  const properties: ClientProperties =
    options.commandConfig === undefined
      ? { bootstrapServers: undefined, tls: null, sasl: null }
      : parseClientProperties(readFile(options.commandConfig), readFile)
  const given =
    options.bootstrapServer.length > 0 ? options.bootstrapServer : (properties.bootstrapServers ?? DEFAULT).split(',')
  const bootstrapServers = given.map(address => parseAddress(address.trim()))
  if (properties.tls === null && bootstrapServers.some(({ host }) => !isLoopback(host))) {
    logger.warn(
      { bootstrapServer: given.join(',') },
      'the connection to Kafka is not encrypted (security.protocol=PLAINTEXT)',
    )
  }
  const settings = {
    bootstrapServers,
    clientId: 'maxbrod',
    tls: properties.tls,
    sasl: properties.sasl,
    bootstrapDeadlineMs: BOOTSTRAP_DEADLINE_MS,
    deadlineMs: options.kafkaDeadline,
    poolBytes: POOL_BYTES,
  }
  return openKafka(settings, { clock, random, log: logger.child({ component: 'kafka' }) })
}

/** `host:port`, `[::1]:port`, or a host with Kafka's usual port. */
function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:[A-Z_]+:\/\/)?(\[[0-9a-fA-F:]+\]|[^:/\s]+)(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[2] ?? 9092)
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new MaxbrodError('USAGE', `--bootstrap-server: '${text}' is no address`, {
      hint: 'write it like broker-1:9092',
    })
  }
  return { host: match[1].replaceAll(/[[\]]/g, ''), port }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
