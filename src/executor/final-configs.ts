import { heldConfigs, isOfHold } from '../format/hold.ts'
import type { ConfigValues } from '../format/plan.ts'
import type { ConfigEntry } from '../kafka/port.ts'

export type Configs = ReadonlyMap<string, string | null>

/**
 * What finalize changes: the configs that still are as the hold or the seal made them get the values that the plan noted.
 * What somebody has set meanwhile is left as it is. Pure.
 */
export function finalChanges(present: readonly ConfigEntry[], final: ConfigValues): Map<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const name of heldConfigs(present).keys()) {
    const entry = present.find(one => one.name === name && one.isOwn)
    const wanted = final[name] ?? null
    if (entry !== undefined && isOfHold(name, entry.value) && entry.value !== wanted) changes.set(name, wanted)
  }
  return changes
}

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
