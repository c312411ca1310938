import type { ConfigEntry, TopicDescription } from '../kafka/port/admin.ts'
import type { Kafka } from '../kafka/port.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { must } from '../runtime/assert.ts'

/** A topic of the target cluster as it is now. */
export interface SeenTarget {
  readonly description: TopicDescription
  readonly configs: readonly ConfigEntry[]
  /** Its partitions, in order. */
  readonly logs: readonly SeenLog[]
}

export interface SeenLog extends TopicPartition {
  /** Undefined where the cluster does not tell: no leader, mostly. */
  readonly start: number | undefined
  readonly end: number | undefined
}

/** Looks at topics without changing anything; those that do not exist are missing in the answer. */
export async function seeTargets(
  { admin }: Pick<Kafka, 'admin'>,
  names: readonly string[],
): Promise<ReadonlyMap<string, SeenTarget>> {
  if (names.length === 0) return new Map()
  const descriptions = await admin.topics([...new Set(names)])
  const open = descriptions.filter(({ error }) => error === undefined)
  const partitions = open.flatMap(({ name: topic, partitions: count }) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  )
  const [configs, starts, ends] = await Promise.all([
    admin.topicConfigs(open.map(({ name }) => name)),
    admin.offsets('log start', partitions),
    admin.offsets('log end', partitions),
  ])
  const logsOf = Map.groupBy(partitions, ({ topic }) => topic)
  return new Map(
    descriptions.map(description => {
      const { name } = description
      const logs = (logsOf.get(name) ?? []).map(one => ({
        ...one,
        start: starts.offsets.get(one),
        end: ends.offsets.get(one),
      }))
      return [name, { description, configs: configs.get(name) ?? [], logs }]
    }),
  )
}

/** A topic that was just created, or was there before. */
export async function seeTarget(kafka: Pick<Kafka, 'admin'>, topic: string): Promise<SeenTarget> {
  return must((await seeTargets(kafka, [topic])).get(topic), `topic ${topic}`)
}
