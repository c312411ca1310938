import { isHeld, sealConfigs } from '../format/hold.ts'
import type { Kafka } from '../kafka/port.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { PlanView } from './plan-view.ts'

/**
 * Those of the topics that a restore still fills and of which this plan says nothing: held and not sealed, by another plan. What is
 * in them is not all that is to come. Topics whose configs this user may not see count as not filled.
 */
export async function filledElsewhere(
  { admin }: Kafka,
  plan: PlanView,
  topics: readonly string[],
): Promise<ReadonlySet<string>> {
  const unplanned = topics.filter(topic => !plan.hasTarget(topic))
  if (unplanned.length === 0) return new Set()
  try {
    const configs = await admin.topicConfigs(unplanned)
    return new Set([...configs].flatMap(([topic, of]) => (isHeld(of) && sealConfigs(of).size > 0 ? [topic] : [])))
  } catch (error) {
    if (isMaxbrodError(error, 'KAFKA_AUTH')) return new Set()
    throw error
  }
}
