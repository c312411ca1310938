import type { ConfigValues } from './plan.ts'

/**
 * Topic configs while a restore is under way. Restored records are old: retention would delete them within minutes,
 * compaction could take the tail by which a restart finds its place, and timestamp bounds would refuse them.
 */
const HELD: Readonly<Record<string, string>> = {
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.after.max.ms': '9223372036854775807',
}

/**
 * Once a topic is complete, nothing old may be appended any more: a late batch of a paused executor would be taken by a
 * broker that has forgotten the producer.
 */
const SEAL = { name: 'message.timestamp.before.max.ms', value: '3600000' } as const

/** How long brokers remember a producer: the longest that fits the config's type, for the time of the restore. */
export const PRODUCER_EXPIRATION = { name: 'producer.id.expiration.ms', value: '2147483647' } as const

export interface ConfigFact {
  readonly name: string
  readonly value: string | null
  readonly isOwn: boolean
}

/** The configs to set on a target, of those that its cluster knows. */
export function heldConfigs(present: readonly ConfigFact[]): Map<string, string> {
  return new Map(Object.entries(HELD).filter(([name]) => present.some(config => config.name === name)))
}

/** What `heldConfigs` will have changed: own values as they are, null for what was not set for the topic. */
export function valuesBeforeHold(present: readonly ConfigFact[]): ConfigValues {
  const names = [...heldConfigs(present).keys()]
  return Object.fromEntries(
    names.map(name => [name, present.find(config => config.name === name && config.isOwn)?.value ?? null]),
  )
}

/** The held configs that are not as they must be; a sealed topic is as it must be. */
export function brokenHold(present: readonly ConfigFact[]): string[] {
  return [...heldConfigs(present)].flatMap(([name, wanted]) => {
    const actual = present.find(config => config.name === name)?.value
    const isSealed = name === SEAL.name && actual === SEAL.value
    return actual === wanted || isSealed ? [] : [`${name}=${actual ?? ''}`]
  })
}

/** The change that seals a topic; empty where the cluster does not know the config. */
export function sealConfigs(present: readonly ConfigFact[]): Map<string, string> {
  return new Map(present.some(({ name }) => name === SEAL.name) ? [[SEAL.name, SEAL.value]] : [])
}
