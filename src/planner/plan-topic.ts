import { grantOnTopic } from '../kafka/port/acl-command.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'

const WAIT_MS = 100
const WAIT_DEADLINE_MS = 30_000

/** A head names all targets of a planner's run, and an end all chains of its partition: one record each. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/**
 * How many partitions the plan topic has; undefined when it does not exist. Throws KAFKA_AUTH when it cannot be looked at,
 * PLAN_FOREIGN when the cluster would not keep all of its records.
 */
export async function planTopicPartitions({ admin }: Kafka, planTopic: string): Promise<number | undefined> {
  const [found] = await admin.topics([planTopic])
  if (found === undefined) return undefined
  if (found.error !== undefined) {
    throw new MaxbrodError('KAFKA_AUTH', `cannot look at the plan topic ${planTopic}: ${found.error}`, {
      hint: grantOnTopic(['Describe', 'Read', 'Write'], planTopic),
    })
  }
  const configs = (await admin.topicConfigs([planTopic])).get(planTopic) ?? []
  const policy = configs.find(({ name }) => name === 'cleanup.policy')?.value ?? ''
  if (policy.includes('compact')) {
    throw new MaxbrodError(
      'PLAN_FOREIGN',
      `${planTopic} is compacted, which would take all but the last file of a chain`,
      {
        hint: 'set cleanup.policy=delete and retention.ms=-1, or let maxbrod create another --plan-topic',
      },
    )
  }
  return found.partitions
}

/** What to tell of a number of partitions that was asked for and that the plan topic does not have. Pure. */
export function partitionDoubts(planTopic: string, asked: number | undefined, actual: number | undefined): string[] {
  if (asked === undefined || actual === undefined || asked === actual) return []
  return [
    `${planTopic} is there already, with ${actual} partitions: --plan-partitions ${asked} counts for a new plan topic only; for another number, use another --plan-topic`,
  ]
}

/** Creates the plan topic so that nothing is ever deleted from it, waits until it can be used, and returns its partitions. */
export async function createPlanTopic(
  kafka: Kafka,
  clock: Clock,
  planTopic: string,
  partitions: number,
): Promise<number> {
  const configs = new Map([
    ['cleanup.policy', 'delete'],
    ['retention.ms', '-1'],
    ['retention.bytes', '-1'],
    ['max.message.bytes', String(MAX_MESSAGE_BYTES)],
  ])
  await kafka.admin.createTopic({ name: planTopic, partitions, replicationFactor: -1, configs })
  return untilLed(kafka, clock, planTopic)
}

/** Waits until every partition of a new topic has a leader. Returns their number: somebody else may have created it. */
export async function untilLed({ admin, routes }: Kafka, clock: Clock, topic: string): Promise<number> {
  const startedAt = clock.monotonic()
  for (;;) {
    const [found] = await admin.topics([topic])
    const partitions = found?.partitions ?? 0
    await routes.refresh([topic])
    const leaders = Array.from({ length: partitions }, (_, partition) => routes.leader({ topic, partition }))
    if (partitions > 0 && leaders.every(leader => leader !== undefined)) return partitions
    if (clock.monotonic() - startedAt > WAIT_DEADLINE_MS) {
      throw new MaxbrodError('KAFKA_GAVE_UP', `the new topic ${topic} has partitions without a leader`, {
        topic,
        hint: 'check that enough brokers are alive',
      })
    }
    await clock.sleep(WAIT_MS)
  }
}
