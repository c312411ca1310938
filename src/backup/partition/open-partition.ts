import type { BlockPress } from '../../format/ocf/block-press.ts'
import type { CommittedOffset } from '../../kafka/port/admin.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import type { Logger } from '../../observe/logger.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { Committer } from '../resume/committer.ts'
import type { WorkerContext } from '../deps.ts'
import type { Lineages } from '../resume/lineages.ts'
import type { WorkerMemory } from '../memory.ts'
import { PartitionBackup } from './partition.ts'
import type { PartitionDeps, PartitionOptions } from '../reading/partition-deps.ts'
import type { LogBounds } from '../resume/resume.ts'
import { continuedBy } from '../spool/spool-fit.ts'
import type { TopicFolders } from '../topics/topic-folders.ts'
import type { UploadSlots } from '../chain/upload-slots.ts'

export interface OpenPartitionDeps {
  readonly context: WorkerContext
  readonly memory: WorkerMemory
  readonly press: BlockPress
  readonly committer: Committer
  readonly options: PartitionOptions
  readonly uploads: UploadSlots
  readonly folders: TopicFolders
  readonly lineages: Lineages
  /** Resolves when an earlier ownership of the partition has left its spool. */
  readonly over: (ownership: Ownership) => Promise<void>
}

/** What a partition tells of itself, and asks for. */
export type PartitionEvents = Omit<PartitionDeps, 'context' | 'memory' | 'press' | 'committer' | 'uploads' | 'log'>

/** Finds where a partition goes on, in the store and then in the spool, and begins with it there. */
export async function openPartition(
  deps: OpenPartitionDeps,
  ownership: Ownership,
  committed: CommittedOffset | undefined,
  bounds: LogBounds,
  log: Logger,
  events: PartitionEvents,
): Promise<PartitionBackup> {
  const { context, memory, press, committer, options, uploads, folders, lineages } = deps
  const { topic } = ownership
  const leader = context.kafka.routes.leader(ownership)
  // Without a leader nothing says which incarnation of the topic this is.
  if (leader === undefined) throw new MaxbrodError('KAFKA_GAVE_UP', `${partitionName(ownership)} has no leader`)
  const facts = { folder: await folders.of(topic, leader.topicId), committed, bounds, leader }
  const { place, identity, resume, hasDiverged } = await lineages.find(ownership, facts, log)
  await deps.over(ownership)
  const continued = continuedBy(resume, bounds, leader)
  // What was read of a log that turned out to be another one is not to be trusted.
  const limit = hasDiverged ? resume.chainEnd : continued.limit
  const spooled = await context.spool.take(place, identity, { ...continued, limit })
  const position = spooled.at(-1)?.to ?? resume.chainEnd
  const spooledFrom = spooled.length > 0 ? resume.chainEnd : undefined
  log.info({ position, spooledFrom, lineage: identity.lineage, ...bounds }, 'backing up')
  const { limits } = context.rules.of(topic)
  const own = { context, memory, press, committer, uploads, log, ...events }
  const start = { place, identity, ownership, resume, options: { ...options, ...limits }, spooled }
  return new PartitionBackup(start, own)
}
