import type { Leader } from '../../kafka/port.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import type { LogBounds, ResumePoint } from '../resume/resume.ts'
import type { SpoolHead } from './spool-notes.ts'
import type { SpooledTile } from './spooled-tile.ts'

/** What a chain in the store must look like for tiles of the spool to continue it. */
export interface Continued {
  readonly from: number
  /** They must end here at the latest: what lies ahead is somebody else's, or Kafka does not have it. */
  readonly limit: number
  /** Epoch of the partition's leader: a new one may have cut the log. Undefined when that does not matter. */
  readonly leaderEpoch: number | undefined
}

/** What tiles of the spool must fit to, where a worker goes on with a partition. */
export function continuedBy(
  { chainEnd, barrier = Infinity }: Pick<ResumePoint, 'chainEnd' | 'barrier'>,
  { logStart, highWatermark }: LogBounds,
  { leaderEpoch }: Pick<Leader, 'leaderEpoch'>,
): Continued {
  // Where Kafka has nothing of it left, what was read is all there is.
  const isLost = chainEnd < logStart
  return { from: chainEnd, limit: Math.min(barrier, highWatermark), leaderEpoch: isLost ? undefined : leaderEpoch }
}

/**
 * Whether a tile that begins at the right place may follow: it does not go too far, and nobody has cut the log since. Its last
 * block tells, and where it has none, its end: offsets that held nothing may hold records of another leader.
 */
export function continues(
  { to, notes }: Pick<SpooledTile, 'to' | 'notes'>,
  { limit, leaderEpoch }: Omit<Continued, 'from'>,
): boolean {
  const last = notes.findLast(note => note.kind === 'block') ?? notes.findLast(note => note.kind === 'closed')
  return to <= limit && (leaderEpoch === undefined || last?.readAt === leaderEpoch)
}

/**
 * Whether a tile was read for this chain by a member of this group. Of brokers without topic ids nobody knows whether the
 * topic is still the same: their tiles are of no use to others.
 */
export function isOfChain(
  head: Pick<SpoolHead, 'archiveId' | 'clusterId' | 'group' | 'topicId' | 'lineage'>,
  { archiveId, clusterId, topicId, lineage }: PartitionIdentity,
  group: string,
): boolean {
  return (
    head.archiveId === archiveId &&
    head.clusterId === clusterId &&
    head.group === group &&
    topicId !== undefined &&
    head.topicId === topicId &&
    head.lineage === lineage
  )
}

/** Whether a tile was read for this backup of a topic that had the name before. */
export function isOfAnotherTopic(
  head: Pick<SpoolHead, 'archiveId' | 'clusterId' | 'topicId'>,
  { archiveId, clusterId, topicId }: PartitionIdentity,
): boolean {
  if (head.archiveId !== archiveId || head.clusterId !== clusterId) return false
  return head.topicId !== undefined && topicId !== undefined && head.topicId !== topicId
}
