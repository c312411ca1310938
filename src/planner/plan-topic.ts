import type { Kafka } from '../kafka/port.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'

const WAIT_MS = 100
const WAIT_DEADLINE_MS = 30_000

/** How many partitions the plan topic has; undefined when it does not exist. */
export async function planTopicPartitions({ admin }: Kafka, planTopic: string): Promise<number | undefined> {
  const [found] = await admin.topics([planTopic])
  return found?.partitions
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
  ])
  await kafka.admin.createTopic({ name: planTopic, partitions, replicationFactor: -1, configs })
  await untilLed(kafka, clock, planTopic, partitions)
  // Another planner may have created it with another number.
  return (await planTopicPartitions(kafka, planTopic)) ?? partitions
}

/** Waits until every partition of a new topic has a leader. */
export async function untilLed({ routes }: Kafka, clock: Clock, topic: string, partitions: number): Promise<void> {
  const startedAt = clock.monotonic()
  for (;;) {
    await routes.refresh([topic])
    if (
      Array.from({ length: partitions }, (_, partition) => routes.leader({ topic, partition })).every(
        leader => leader !== undefined,
      )
    )
      return
    if (clock.monotonic() - startedAt > WAIT_DEADLINE_MS) {
      throw new MaxbrodError('KAFKA_GAVE_UP', `the new topic ${topic} has partitions without a leader`, {
        topic,
        hint: 'check that enough brokers are alive',
      })
    }
    await clock.sleep(WAIT_MS)
  }
}
