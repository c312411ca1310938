import type { Kafka } from '../kafka/port.ts'
import type { SeenTarget } from './see-targets.ts'
import { MIN_IN_SYNC } from './target-limits.ts'
import type { TargetOptions, WantedTarget } from './wanted-target.ts'

/** How many brokers the cluster has; undefined when no target is to be created that could want more of them. */
export async function brokersForNew(
  { admin }: Pick<Kafka, 'admin'>,
  wanted: readonly WantedTarget[],
  seen: ReadonlyMap<string, SeenTarget>,
  { createTopics }: Pick<TargetOptions, 'createTopics'>,
): Promise<number | undefined> {
  const isReplicated = ({ topic, definition }: WantedTarget) =>
    !seen.has(topic) && (definition?.replication_factor ?? 1) > 1
  return createTopics && wanted.some(isReplicated) ? (await admin.contacts()).length : undefined
}

/** What to tell of a target that will be created with fewer replicas than its source had. Pure. */
export function fewerReplicas({ topic, definition }: WantedTarget, brokers: number | undefined): string[] {
  const wanted = definition?.replication_factor ?? 1
  if (brokers === undefined || brokers >= wanted) return []
  const inSync = Number(definition?.configs[MIN_IN_SYNC] ?? 1)
  const less = inSync > brokers ? `, and ${MIN_IN_SYNC} is lowered from ${inSync} to as many` : ''
  return [
    `${topic} is created with fewer replicas than the ${wanted} of its source: the cluster has ${brokers} broker${brokers === 1 ? '' : 's'}${less}`,
  ]
}
