import { PRODUCER_EXPIRATION, heldConfigs } from '../format/hold.ts'
import type { PlanHead } from '../format/plan.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import type { PlannerDeps } from './deps.ts'

/**
 * Makes the targets of a head safe for old records. To be called when the head, which says what to put back, is in the plan
 * topic; calling it again changes nothing.
 */
export async function applyHold({ kafka, log }: PlannerDeps, heads: readonly PlanHead[]): Promise<void> {
  const targets = heads.filter(({ hold }) => hold === 'auto').flatMap(head => head.targets)
  if (targets.length === 0) return
  const configs = await kafka.admin.topicConfigs(targets.map(({ topic }) => topic))
  for (const { topic } of targets) {
    const present = configs.get(topic) ?? []
    const held = heldConfigs(present)
    const differing = new Map(
      [...held].filter(([name, value]) => present.find(config => config.name === name)?.value !== value),
    )
    if (differing.size === 0) continue
    await kafka.admin.alterTopicConfigs(topic, differing)
    log.info({ topic, configs: [...differing.keys()].join(',') }, 'held: nothing is deleted until maxbrod finalize')
  }
  await rememberProducers(kafka, log)
}

/** What all brokers have for `producer.id.expiration.ms` before it is raised: undefined when it stays as it is. */
export async function producerExpirationBefore({ kafka }: PlannerDeps): Promise<string | null | undefined> {
  const entry = (await kafka.admin.brokerConfigs()).find(({ name }) => name === PRODUCER_EXPIRATION.name)
  if (entry === undefined || entry.value === PRODUCER_EXPIRATION.value) return undefined
  return entry.isOwn ? entry.value : null
}

/** Brokers that forget the producer would take its records twice; a cluster that does not let us say so is named. */
async function rememberProducers(kafka: PlannerDeps['kafka'], log: PlannerDeps['log']): Promise<void> {
  const { name, value } = PRODUCER_EXPIRATION
  try {
    await kafka.admin.alterBrokerDefaults(new Map([[name, value]]))
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    log.warn(
      { reason: messageOf(error) },
      `cannot raise ${name} of the brokers: a restore of old records is a little less protected against paused executors`,
    )
  }
}
