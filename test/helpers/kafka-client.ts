import { Vitals } from '../../src/observe/vitals.ts'
import { openKafka } from '../../src/kafka/kafkajs/open.ts'
import type { OpenKafkaOptions } from '../../src/kafka/kafkajs/open.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'

/** What the floor logged: `{ message, ...facts }`. */
export type LoggedEvent = Readonly<Record<string, unknown>> & { readonly message: string }

/** kafka/ as rooms get it, at a cluster of a test: `await using kafka = openClient(world.bootstrap)`. */
export function openClient(
  bootstrap: string,
  options: Partial<OpenKafkaOptions> = {},
  clock: Clock = systemClock,
): Kafka & { readonly events: readonly LoggedEvent[] } {
  const events: LoggedEvent[] = []
  const log = (facts: object, message: string) => void events.push({ message, ...facts })
  const settings = {
    bootstrapServers: bootstrap.split(',').map(addressOf),
    clientId: 'test',
    tls: null,
    sasl: null,
    bootstrapDeadlineMs: 5_000,
    deadlineMs: 30_000,
    poolBytes: 8 * 1024 * 1024,
    ...options,
  }
  const deps = { clock, random: systemRandom, vitals: new Vitals(clock), log: { debug: () => undefined, info: log } }
  return { ...openKafka(settings, deps), events }
}

export function addressOf(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) }
}
