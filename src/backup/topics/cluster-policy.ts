import { cleanupPolicies } from '../../format/snapshot/topic-definitions.ts'
import type { TopicDefinition } from '../../format/snapshot/topic-definitions.ts'
import type { ConfigEntry } from '../../kafka/port/admin.ts'

/**
 * What the cluster does with old records of topics that say nothing of it; undefined when no topic shows it. Brokers whose files
 * differ may tell both: then that which keeps more counts. Pure.
 */
export function clusterPolicyOf(topics: Iterable<readonly ConfigEntry[]>): string | undefined {
  const seen = [...topics]
    .flatMap(configs => configs.find(({ name, isOwn }) => name === 'cleanup.policy' && !isOwn)?.value ?? [])
    .toSorted()
  return seen.find(policy => !cleanupPolicies({ configs: {}, clusterPolicy: policy })?.includes('delete')) ?? seen[0]
}

/** What is known of the cluster goes for all of its topics, also for those that others have seen. Pure. */
export function inOneCluster(
  topics: readonly TopicDefinition[],
  clusterPolicy: string | undefined,
): readonly TopicDefinition[] {
  return clusterPolicy === undefined ? topics : topics.map(one => ({ ...one, clusterPolicy }))
}
