import type { GroupOffsets, GroupTopic } from '../format/snapshot/group-offsets.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import type { GroupCommit, GroupListing, Kafka, TopicDescription } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { PartitionMap, TopicPartition } from '../runtime/topic-partition.ts'

/** What the cluster's groups and partitions were at a moment. */
export interface Look {
  readonly groups: readonly GroupOffsets[]
  /** Groups that this user may not see. */
  readonly denied: readonly string[]
  readonly partitions: readonly PointPartition[]
  /** Of internal topics: they change all the time, by the commits of others. */
  readonly internalTopics: ReadonlySet<string>
  /** When all groups had answered, and when all partitions had. */
  readonly groupsAtMs: number
  readonly partitionsAtMs: number
}

/** Groups that have no offsets to save: their progress is of another kind (KIP-932). */
const WITHOUT_OFFSETS = 'share'

/**
 * Asks for the groups first and for the ends of the partitions after that, so that no group is ahead of the ends. `known` are
 * groups that were there before: one that is moving between two brokers may be missing in the lists of both.
 */
export async function look(
  { admin }: Kafka,
  select: (group: string) => boolean,
  known: ReadonlyMap<string, GroupOffsets>,
  now: () => number,
): Promise<Look> {
  const listed = (await admin.groups()).filter(({ type }) => type?.toLowerCase() !== WITHOUT_OFFSETS)
  const names = [...new Set([...listed.map(({ group }) => group), ...known.keys()])].filter(select)
  const { offsets, failed } = await admin.groupOffsets(names)
  const groupsAtMs = now()
  const topics = (await admin.topics()).filter(({ error }) => error === undefined)
  const partitions = await readPartitions(admin, topics)
  const partitionsAtMs = now()

  const listings = new Map(listed.map(listing => [listing.group, listing]))
  const topicIds = new Map(topics.map(({ name, topicId }) => [name, topicId ?? null]))
  const groups = names.toSorted(compare).flatMap((group): GroupOffsets[] => {
    const committed = offsets.get(group)
    const listing = listings.get(group)
    // Neither listed nor with offsets: it is gone.
    if (committed === undefined || (listing === undefined && committed.size === 0)) return []
    const { type, state } = kindOf(listing, known.get(group))
    return [{ group_id: group, type, state, topics: topicsOf(committed, topicIds) }]
  })
  const internalTopics = new Set(topics.filter(topic => topic.isInternal).map(({ name }) => name))
  return { groups, denied: [...failed.keys()], partitions, internalTopics, groupsAtMs, partitionsAtMs }
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

/** Every partition with its start and its last stable end. Throws KAFKA_GAVE_UP when one of them does not tell. */
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
