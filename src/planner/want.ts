import { readNewestDefinitions } from '../catalog/topic-definitions.ts'
import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import type { PlanMapping } from '../format/plan.ts'
import type { AuditedPartition } from './audit.ts'
import type { PlannerDeps } from './deps.ts'
import type { AuditedTopic, LookedAt } from './look.ts'
import { targetName } from './mapping.ts'
import { Times } from './times.ts'
import type { WantedTarget } from './targets.ts'
import type { WantedChain } from './wanted-chain.ts'

/** What is to be restored where. */
export interface Wanted {
  readonly targets: readonly WantedTarget[]
  readonly chains: readonly WantedChain[]
}

/** Maps the audited topics to targets and chains, in the order of the topics. */
export async function wantedOf(
  { store }: PlannerDeps,
  { topics }: LookedAt,
  mapping: PlanMapping,
  signal: AbortSignal,
): Promise<Wanted> {
  const definitions = (await readNewestDefinitions(store, signal))?.topics ?? []
  return {
    targets: topics.map(topic => targetOf(topic, definitions, mapping)),
    chains: topics.flatMap(topic => chainsOf(topic, mapping)),
  }
}

function targetOf(
  { folder, partitions }: AuditedTopic,
  definitions: readonly TopicDefinition[],
  mapping: PlanMapping,
): WantedTarget {
  const topicId = topicIdOf({ folder, partitions })
  const definition = definitions.find(
    one => one.topic === folder.topic && (topicId === undefined || one.topic_id === null || one.topic_id === topicId),
  )
  const highest = partitions.reduce((max, { place }) => Math.max(max, place.partition), -1)
  // Not Math.max(...all): a call takes no more than about 100 000 arguments, and topics have more files than that.
  const largest = (max: number, { tiles }: AuditedPartition) =>
    tiles.reduce((bytes, { recordBytesMax }) => Math.max(bytes, recordBytesMax), max)
  return {
    source: folder.topic,
    topic: targetName(folder.topic, mapping),
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

function chainsOf({ folder, partitions }: AuditedTopic, mapping: PlanMapping): WantedChain[] {
  const sourceTopicId = topicIdOf({ folder, partitions })
  return partitions.map(({ place, tiles }) => ({
    source: { ...place, sourceTopicId },
    target: { topic: targetName(folder.topic, mapping), partition: place.partition },
    tiles,
  }))
}

function topicIdOf({ folder, partitions }: AuditedTopic): string | undefined {
  return folder.topicId ?? partitions.flatMap(({ tiles }) => tiles).find(tile => tile.topicId !== undefined)?.topicId
}
