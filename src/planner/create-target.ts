import type { ConfigEntry } from '../kafka/port/admin.ts'
import type { Kafka } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { SeenTarget } from './see-targets.ts'
import { MIN_IN_SYNC, replicaDoubts, valueOf } from './target-limits.ts'
import { RECORD_GROWTH_BYTES } from './wanted-target.ts'
import type { WantedTarget } from './wanted-target.ts'

/** The configs of the source, with room for its largest record as it is restored. Pure. */
export function configsOfNew({ definition, recordBytesMax }: WantedTarget): Map<string, string> {
  const configs = new Map(Object.entries(definition?.configs ?? {}))
  const limit = Number(configs.get('max.message.bytes') ?? Number.NaN)
  if (limit < recordBytesMax + RECORD_GROWTH_BYTES)
    configs.set('max.message.bytes', String(recordBytesMax + RECORD_GROWTH_BYTES))
  return configs
}

/**
 * Creates a target like its source. A smaller cluster cannot hold as many replicas, and gives it its own default number then:
 * `fewer replicas`.
 */
export async function createTarget(
  { admin }: Kafka,
  target: WantedTarget,
): Promise<'like its source' | 'fewer replicas'> {
  const { topic: name, partitions, definition } = target
  const configs = configsOfNew(target)
  const wanted = definition?.replication_factor ?? -1
  try {
    await admin.createTopic({ name, partitions, replicationFactor: wanted, configs })
    return 'like its source'
  } catch (error) {
    if (wanted < 0 || !(error instanceof MaxbrodError) || !error.message.includes('INVALID_REPLICATION_FACTOR'))
      throw error
  }
  await admin.createTopic({ name, partitions, replicationFactor: -1, configs })
  return 'fewer replicas'
}

/**
 * A target with fewer replicas than must be in sync takes no record at all. One like its source, in a cluster that is too
 * small for it, gets as many as it has. Answers with what to tell, if anything; also where a planner died before it did so.
 */
export async function acceptFewerReplicas(
  { admin }: Kafka,
  { topic, definition }: WantedTarget,
  { description: { replicationFactor: replicas }, configs }: SeenTarget,
  created: 'like its source' | 'fewer replicas' | undefined,
): Promise<string | undefined> {
  const wanted = definition?.replication_factor
  const lowered = `${topic} has ${replicas} replicas, where its source had ${wanted}: the cluster is too small for more`
  const [doubt] = replicaDoubts(topic, replicas, configs)
  if (doubt === undefined) return created === 'fewer replicas' ? lowered : undefined
  const inSync = inSyncOf(configs)
  if (created === undefined && inSync !== definition?.configs[MIN_IN_SYNC]) return doubt
  await admin.alterTopicConfigs(topic, new Map([[MIN_IN_SYNC, String(replicas)]]))
  return `${lowered}; ${MIN_IN_SYNC} is ${replicas} instead of ${inSync}`
}

function inSyncOf(configs: readonly ConfigEntry[]): string | null {
  return valueOf(configs, MIN_IN_SYNC) ?? null
}
