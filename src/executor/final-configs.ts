import type { ConfigEntry } from '../kafka/port/admin.ts'

export type Configs = ReadonlyMap<string, string | null>

/** Broker configs that stand behind a topic config which is not set: the first that has a value, in ms. Source: TopicConfig.java and ServerLogConfigs.java. */
const RETENTION_MS = [
  ['log.retention.ms', 1],
  ['log.retention.minutes', 60_000],
  ['log.retention.hours', 3_600_000],
] as const

/** What a topic has after `changes`, of what decides about deletion: what is not set for it is the broker's. Pure. */
export function configsAfter(
  present: readonly ConfigEntry[],
  changes: Configs,
  broker: readonly ConfigEntry[],
): Configs {
  const ofBroker = (name: string) => broker.find(entry => entry.name === name)?.value ?? null
  const inherited: Configs = new Map([
    ['cleanup.policy', ofBroker('log.cleanup.policy')],
    ['retention.ms', inheritedRetention(ofBroker)],
    ['retention.bytes', ofBroker('log.retention.bytes')],
  ])
  return new Map(
    [...inherited].map(([name, otherwise]) => {
      const own = present.find(entry => entry.name === name && entry.isOwn)?.value ?? null
      return [name, (changes.has(name) ? changes.get(name) : own) ?? otherwise]
    }),
  )
}

function inheritedRetention(ofBroker: (name: string) => string | null): string | null {
  for (const [name, unitMs] of RETENTION_MS) {
    const value = ofBroker(name)
    if (value !== null) return Number(value) < 0 ? '-1' : String(Number(value) * unitMs)
  }
  return null
}
