import { PRODUCER_EXPIRATION, holdChanges } from '../format/hold.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import type { PlannerDeps } from './deps.ts'

/**
 * Makes targets safe for old records. To be called when the head that says what to put back is in the plan topic, and before
 * the first file is: executors refuse a target that is not held. Calling it again changes nothing; a sealed topic stays
 * sealed, and whoever has records for it opens it.
 */
export async function applyHold({ kafka, log }: PlannerDeps, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return
  const configs = await kafka.admin.topicConfigs(topics)
  for (const topic of topics) {
    const changes = holdChanges(configs.get(topic) ?? [])
    if (changes.size === 0) continue
    await kafka.admin.alterTopicConfigs(topic, changes)
    log.info({ topic, configs: [...changes.keys()].join(',') }, 'held: nothing is deleted until maxbrod finalize')
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
    if ((await kafka.admin.brokerConfigs()).some(config => config.name === name && config.value === value)) return
    await kafka.admin.alterBrokerDefaults(new Map([[name, value]]))
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    log.warn(
      { reason: messageOf(error) },
      `cannot raise ${name} of the brokers: a restore of old records is a little less protected against paused executors`,
    )
  }
}
