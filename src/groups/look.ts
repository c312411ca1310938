import { drillTopics } from '../format/drill-names.ts'
import type { GroupOffsets, GroupTopic } from '../format/snapshot/group-offsets.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import type { GroupCommit, GroupListing, TopicDescription } from '../kafka/port/admin.ts'
import type { Kafka } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { PartitionMap, TopicPartition } from '../runtime/topic-partition.ts'

/** What the cluster's groups were at a moment. */
export interface GroupsLook {
  /** All that belong into a snapshot: as they are now, or as they were where this look could not tell. */
  readonly groups: readonly GroupOffsets[]
  /** How many of them were asked for and were there. */
  readonly seen: number
  /** Groups that this user may not see. */
  readonly denied: readonly string[]
  /** As they were right after the groups. */
  readonly topics: readonly TopicDescription[]
  /** When all groups had answered. */
  readonly atMs: number
}

/** What the cluster's partitions were at a moment. */
export interface PartitionsLook {
  readonly partitions: readonly PointPartition[]
  /** Of internal topics: they change all the time, by the commits of others. */
  readonly internalTopics: ReadonlySet<string>
  /** When all partitions had answered. */
  readonly atMs: number
}

/** Groups that have no offsets to save: their progress is of another kind (KIP-932). */
const WITHOUT_OFFSETS = 'share'

/**
 * Asks for the groups: before the partitions, so that no group is ahead of their ends. `known` are groups that were there before:
 * one that is moving between two brokers may be missing in the lists of both. Those of them that are not selected now, or that
 * may not be seen any more, stay as they were: the newest snapshot is the one that is restored.
 */
export async function lookAtGroups(
  { admin }: Kafka,
  select: (group: string) => boolean,
  known: ReadonlyMap<string, GroupOffsets>,
  now: () => number,
): Promise<GroupsLook> {
  const listed = (await admin.groups()).filter(({ type }) => type?.toLowerCase() !== WITHOUT_OFFSETS)
  const names = [...new Set([...listed.map(({ group }) => group), ...known.keys()])]
  const { offsets, failed } = await admin.groupOffsets(names.filter(select))
  const atMs = now()
  const topics = (await admin.topics()).filter(({ error }) => error === undefined)

  const denied = new Set([...failed].filter(([, reason]) => reason !== 'GROUP_ID_NOT_FOUND').map(([group]) => group))
  const listings = new Map(listed.map(listing => [listing.group, listing]))
  const topicIds = new Map(topics.map(({ name, topicId }) => [name, topicId ?? null]))
  const seen = names.filter(select).flatMap((group): GroupOffsets[] => {
    const committed = offsets.get(group)
    const listing = listings.get(group)
    // Neither listed nor with offsets: it is gone.
    if (committed === undefined || (listing === undefined && committed.size === 0)) return []
    const { type, state } = kindOf(listing, known.get(group))
    return [{ group_id: group, type, state, topics: topicsOf(committed, topicIds) }]
  })
  const unseen = [...known.values()].filter(({ group_id: group }) => !select(group) || denied.has(group))
  const groups = [...seen, ...unseen].toSorted((a, b) => compare(a.group_id, b.group_id))
  return { groups, seen: seen.length, denied: [...denied], topics, atMs }
}

/** Asks all partitions of these topics where they begin and end, but of those that a drill has made for an hour. Throws KAFKA_GAVE_UP when one of them does not tell. */
export async function lookAtPartitions(
  { admin }: Kafka,
  topics: readonly TopicDescription[],
  now: () => number,
): Promise<PartitionsLook> {
  const partitions = await readPartitions(
    admin,
    topics.filter(({ name }) => !drillTopics.test(name)),
  )
  const internalTopics = new Set(topics.filter(topic => topic.isInternal).map(({ name }) => name))
  return { partitions, internalTopics, atMs: now() }
}

function kindOf(listing: GroupListing | undefined, before: GroupOffsets | undefined) {
  if (listing === undefined) return { type: before?.type ?? null, state: before?.state ?? null }
  return { type: listing.type?.toLowerCase() ?? null, state: listing.state ?? null }
}

function topicsOf(
  committed: PartitionMap<GroupCommit>,
  topicIds: ReadonlyMap<string, string | null>,
): readonly GroupTopic[] {
  const topics = new Map<string, GroupTopic['partitions'][number][]>()
  for (const [{ topic, partition }, { offset, leaderEpoch, metadata }] of committed) {
    const list = topics.get(topic) ?? []
    topics.set(topic, list)
    list.push({ partition, offset, leader_epoch: leaderEpoch < 0 ? null : leaderEpoch, metadata })
  }
  return [...topics]
    .toSorted(([a], [b]) => compare(a, b))
    .map(([topic, list]) => ({
      topic,
      topic_id: topicIds.get(topic) ?? null,
      partitions: list.toSorted((a, b) => a.partition - b.partition),
    }))
}

/** Every partition with its start and its last stable end. */
async function readPartitions(admin: Kafka['admin'], topics: readonly TopicDescription[]): Promise<PointPartition[]> {
  const all = topics
    .toSorted((a, b) => compare(a.name, b.name))
    .flatMap(({ name, topicId, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, topicId: topicId ?? null })),
    )
  const [starts, ends] = await Promise.all([admin.offsets('log start', all), admin.offsets('last stable', all)])
  return all.flatMap(({ topic, partition, topicId }) => {
    const start = starts.offsets.get({ topic, partition })
    const end = ends.offsets.get({ topic, partition })
    if (start !== undefined && end !== undefined)
      return [{ topic, topic_id: topicId, partition, log_start: start, end: Math.max(start, end) }]
    const reason = starts.failed.get({ topic, partition }) ?? ends.failed.get({ topic, partition })
    // Deleted since the topics were listed, or none of this user's business.
    if (reason === 'UNKNOWN_TOPIC_OR_PARTITION' || reason === 'TOPIC_AUTHORIZATION_FAILED') return []
    throw incomplete({ topic, partition }, reason ?? 'no answer')
  })
}

function incomplete(where: TopicPartition, reason: string): MaxbrodError {
  const message = `no restoration point: ${partitionName(where)} does not tell where it ends (${reason})`
  return new MaxbrodError('KAFKA_GAVE_UP', message, { ...where, hint: 'check the leader of the partition' })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
