import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import type { PlanMapping } from '../format/plan.ts'
import type { AuditedPartition, AuditedTopic } from './audit.ts'
import type { PlannerContext } from './deps.ts'
import type { LookedAt } from './look.ts'
import { targetName } from './mapping.ts'
import { isSameId } from './plan-state.ts'
import { Times } from './times.ts'
import type { Joins, WantedChain } from './wanted-chain.ts'
import type { WantedTarget } from './wanted-target.ts'

/** What is to be restored where. */
export interface Wanted {
  readonly targets: readonly WantedTarget[]
  readonly chains: readonly WantedChain[]
}

/** The topics that the audited ones become, each once, in the order of the topics. */
export async function wantedTargets(
  { definitions: saved }: Pick<PlannerContext, 'definitions'>,
  { topics, point }: Pick<LookedAt, 'topics' | 'point'>,
  mapping: PlanMapping,
  signal: AbortSignal,
): Promise<WantedTarget[]> {
  const byName = Map.groupBy(topics, ({ folder }) => folder.topic)
  const ids = new Map([...byName].map(([name, incarnations]) => [name, incarnations.map(topicIdOf)]))
  const fits = ({ topic, topic_id: id }: TopicDefinition) =>
    ids.get(topic)?.some(one => isSameId(one, id ?? undefined)) === true
  const definitions = await saved.find([...byName.keys()], fits, point?.atMs, signal)
  return [...byName].map(([name, incarnations]) => targetOf(name, incarnations, definitions.get(name), mapping))
}

function targetOf(
  source: string,
  incarnations: readonly AuditedTopic[],
  definition: TopicDefinition | undefined,
  mapping: PlanMapping,
): WantedTarget {
  const partitions = incarnations.flatMap(incarnation => incarnation.partitions)
  const highest = partitions.reduce((max, { place }) => Math.max(max, place.partition), -1)
  // Not Math.max(...all): a call takes no more than about 100 000 arguments, and topics have more files than that.
  const largest = (max: number, { tiles }: AuditedPartition) =>
    tiles.reduce((bytes, { recordBytesMax }) => Math.max(bytes, recordBytesMax), max)
  return {
    source,
    topic: targetName(source, mapping),
    partitions: Math.max(definition?.partitions ?? 0, highest + 1),
    definition,
    recordBytesMax: partitions.reduce(largest, 0),
    ...timesOf(partitions),
  }
}

function timesOf(partitions: readonly AuditedPartition[]): Pick<WantedTarget, 'timestampMin' | 'timestampMax'> {
  const times = new Times()
  for (const { tiles } of partitions) {
    for (const { timestampMin, timestampMax } of tiles) {
      if (timestampMin !== undefined) times.add(timestampMin)
      if (timestampMax !== undefined) times.add(timestampMax)
    }
  }
  return times.values()
}

/**
 * The chains of the audited topics, in their order; `partitionsOf` says how many partitions a target has. Incarnations of a
 * topic follow each other, and within them the partitions that go to one of the target.
 */
export function wantedChains(
  { topics }: Pick<LookedAt, 'topics'>,
  mapping: PlanMapping,
  incarnation: string | undefined,
  partitionsOf: (target: string) => number,
): WantedChain[] {
  const isModulo = mapping.partitionMap === 'modulo'
  const joins: Joins = { partitions: isModulo, incarnations: incarnation === 'all' }
  return topics.flatMap(audited => {
    const topic = targetName(audited.folder.topic, mapping)
    const sourceTopicId = topicIdOf(audited)
    return audited.partitions.map(({ place, tiles }) => {
      const partition = isModulo ? place.partition % partitionsOf(topic) : place.partition
      return { source: { ...place, sourceTopicId }, target: { topic, partition }, tiles, joins }
    })
  })
}

function topicIdOf({ folder, partitions }: AuditedTopic): string | undefined {
  return folder.topicId ?? partitions.flatMap(({ tiles }) => tiles).find(tile => tile.topicId !== undefined)?.topicId
}
