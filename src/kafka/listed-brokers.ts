import type { SrvRecord } from 'node:dns'
import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import type { KafkaOptions } from './options.ts'

/** The options with the brokers that the DNS lists under --brokers-dns-srv, if there is one. Throws USAGE, KAFKA_UNREACHABLE. */
export async function withListedBrokers(
  options: KafkaOptions,
  resolveSrv: (name: string) => Promise<readonly SrvRecord[]>,
): Promise<KafkaOptions> {
  const { brokersDnsSrv: name, bootstrapServer } = options
  if (name === undefined) return options
  if (bootstrapServer.length > 0)
    throw new MaxbrodError('USAGE', '--brokers-dns-srv and --bootstrap-server both name brokers; give one of them')
  return { ...options, bootstrapServer: await listedBrokers(name, resolveSrv) }
}

/** The brokers that the DNS lists, the first ones to ask first. Throws KAFKA_UNREACHABLE. */
export async function listedBrokers(
  name: string,
  resolveSrv: (name: string) => Promise<readonly SrvRecord[]>,
): Promise<string[]> {
  const hint = 'look with: dig SRV and the name'
  let records: readonly SrvRecord[]
  try {
    records = await resolveSrv(name)
  } catch (cause) {
    throw new MaxbrodError('KAFKA_UNREACHABLE', `the DNS does not list brokers under ${name} (${messageOf(cause)})`, {
      cause,
      hint,
    })
  }
  if (records.length === 0)
    throw new MaxbrodError('KAFKA_UNREACHABLE', `the DNS lists no broker under ${name}`, { hint })
  // RFC 2782: the lowest priority first, and there the heavy ones sooner.
  const ranked = records.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight)
  return ranked.map(({ name: host, port }) => `${host}:${port}`)
}
