import type { ConfigValues, PlanHead } from './plan.ts'

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
  // What brokers before 4.0 have instead, or beside them.
  'message.timestamp.difference.max.ms': '9223372036854775807',
}

/**
 * Once a topic is complete, nothing old may be appended any more: a late batch of a paused executor would be taken by a
 * broker that has forgotten the producer. The first of these configs that the cluster knows does it.
 */
const SEALS = ['message.timestamp.before.max.ms', 'message.timestamp.difference.max.ms'] as const
const SEALED = '3600000'

/** How long brokers remember a producer: the longest that fits the config's type, for the time of the restore. */
export const PRODUCER_EXPIRATION = { name: 'producer.id.expiration.ms', value: '2147483647' } as const

/** What all brokers had before the hold, which the first head that held anything says. */
export function brokerDefaultsOf(heads: readonly Pick<PlanHead, 'brokerDefaults'>[]): ConfigValues {
  return Object.assign({}, ...heads.toReversed().map(head => head.brokerDefaults)) as ConfigValues
}

export interface ConfigFact {
  readonly name: string
  readonly value: string | null
  readonly isOwn: boolean
}

/** The configs of a held topic, of those that its cluster knows. */
export function heldConfigs(present: readonly ConfigFact[]): Map<string, string> {
  return new Map(Object.entries(HELD).filter(([name]) => present.some(config => config.name === name)))
}

/**
 * What is to be set so that a topic is held. Also what the cluster has by default: its defaults may change, and a topic that
 * says so itself is known to be held. A sealed topic stays sealed.
 */
export function holdChanges(present: readonly ConfigFact[]): Map<string, string> {
  const isSet = (name: string, wanted: string) =>
    present.some(({ name: of, value, isOwn }) => of === name && isOwn && (value === wanted || isSealing(name, value)))
  return new Map([...heldConfigs(present)].filter(([name, wanted]) => !isSet(name, wanted)))
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
    const actual = valueOf(present, name)
    return actual === wanted || isSealing(name, actual) ? [] : [`${name}=${actual ?? ''}`]
  })
}

/** True for a topic that says itself, in every config of the hold, that it is held or sealed. */
export function isHeld(present: readonly ConfigFact[]): boolean {
  const names = [...heldConfigs(present).keys()]
  return (
    names.length > 0 &&
    names.every(name => present.some(({ name: of, value, isOwn }) => of === name && isOwn && isOfHold(name, value)))
  )
}

/** The change that seals a held topic; empty for one that is sealed, or not held any more, and where the cluster knows no such config. */
export function sealConfigs(present: readonly ConfigFact[]): Map<string, string> {
  const seal = SEALS.find(name => present.some(config => config.name === name))
  const isOpen = present.some(({ name, value, isOwn }) => name === seal && isOwn && value === HELD[name])
  return new Map(seal === undefined || !isOpen ? [] : [[seal, SEALED]])
}

/** The change that opens a sealed topic again; empty for one that is not sealed. */
export function unsealConfigs(present: readonly ConfigFact[]): Map<string, string> {
  return new Map([...heldConfigs(present)].filter(([name]) => isSealing(name, valueOf(present, name))))
}

/**
 * What gives a topic its own configs back: those that still are as the hold or the seal made them get the values of `final`.
 * What somebody has set meanwhile is left as it is.
 */
export function releaseChanges(present: readonly ConfigFact[], final: ConfigValues): Map<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const name of heldConfigs(present).keys()) {
    const entry = present.find(one => one.name === name && one.isOwn)
    const wanted = final[name] ?? null
    if (entry !== undefined && isOfHold(name, entry.value) && entry.value !== wanted) changes.set(name, wanted)
  }
  return changes
}

/** True for a value that a config has because the topic is held or sealed; any other one is somebody else's wish. */
export function isOfHold(name: string, value: string | null): boolean {
  return value !== null && (HELD[name] === value || isSealing(name, value))
}

function isSealing(name: string, value: string | null | undefined): boolean {
  return value === SEALED && SEALS.some(seal => seal === name)
}

function valueOf(present: readonly ConfigFact[], name: string): string | null | undefined {
  return present.find(config => config.name === name)?.value
}
