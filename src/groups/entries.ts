import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { PlanMapping } from '../format/plan.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'

/** One saved offset, and where it goes. */
export interface Entry extends TopicPartition {
  /** As saved. */
  readonly group: string
  readonly targetGroup: string
  readonly topicId: string | undefined
  readonly target: TopicPartition
  readonly offset: number
  readonly metadata: string
}

export interface EntryRules {
  readonly groups: readonly RegExp[]
  readonly excludeGroups: readonly RegExp[]
  readonly groupPrefix: string
  readonly mapping: Pick<PlanMapping, 'targetPrefix' | 'rename'>
}

/** The saved offsets of the selected groups. A renamed topic gets no prefix, as in a plan. */
export function entriesOf(saved: readonly GroupOffsets[], rules: EntryRules): Entry[] {
  const { groups, excludeGroups, groupPrefix, mapping } = rules
  const renamed = new Map(mapping.rename)
  return saved
    .filter(({ group_id: group }) => groups.some(regex => regex.test(group)))
    .filter(({ group_id: group }) => !excludeGroups.some(regex => regex.test(group)))
    .flatMap(({ group_id: group, topics }) =>
      topics.flatMap(({ topic, topic_id: topicId, partitions }) => {
        const target = renamed.get(topic) ?? `${mapping.targetPrefix}${topic}`
        return partitions.map(({ partition, offset, metadata }) => ({
          group,
          targetGroup: `${groupPrefix}${group}`,
          topic,
          partition,
          topicId: topicId ?? undefined,
          target: { topic: target, partition },
          offset,
          metadata: metadata ?? '',
        }))
      }),
    )
}

/**
 * True for what a backup worker of maxbrod's own has committed: its note names the archive that it belongs to, and another
 * cluster gets another archive.
 */
export function isOurOwn({ metadata }: Pick<Entry, 'metadata'>): boolean {
  if (!metadata.startsWith('{')) return false
  try {
    const note = JSON.parse(metadata) as { archiveId?: unknown; origin?: unknown }
    return typeof note.archiveId === 'string' && typeof note.origin === 'number'
  } catch {
    return false
  }
}
