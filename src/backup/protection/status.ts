import { newLimit } from '../../runtime/limit.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { protectionOf } from './protection.ts'
import type { PartitionStatus } from './protection.ts'
import { firstTimestamp, retentionMs } from './retention.ts'
import { HeldTopics } from '../topics/held-topics.ts'
import type { HeldTopicsDeps } from '../topics/held-topics.ts'
import { backupSelection, selectTopics } from '../topics/selection.ts'
import type { BackedUpTopics } from '../topics/selection.ts'
import { visibleConfigs } from '../topics/visible-configs.ts'

export interface BackupStatus {
  readonly group: string
  readonly partitions: readonly PartitionStatus[]
  /** Partitions that the cluster tells nothing of, and why. */
  readonly unknown: readonly (TopicPartition & { readonly reason: string })[]
  /** Topics that a restore still fills: they are not backed up yet. */
  readonly held: readonly string[]
}

export interface StatusQuestion extends BackedUpTopics {
  readonly groupId: string
}

/** Records read at the same time, one of each partition that is behind. */
const READING = 16

/**
 * How much of a cluster is in the backup now, from the group's commits and the ends of the partitions: no worker is asked, so
 * that it can be told when none runs.
 */
export async function backupStatus(
  tools: HeldTopicsDeps,
  question: StatusQuestion,
  signal: AbortSignal,
): Promise<BackupStatus> {
  const { kafka, clock } = tools
  const { groupId } = question
  const held = new HeldTopics(tools)
  const selected = await selectTopics(kafka.admin, backupSelection(question, held))
  const all = selected.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  )
  const [starts, ends, committed, { configs }] = await Promise.all([
    kafka.admin.offsets('log start', all),
    kafka.admin.offsets('last stable', all),
    kafka.admin.committed(groupId, all),
    visibleConfigs(
      kafka.admin,
      selected.map(({ name }) => name),
    ),
  ])
  const topicIds = new Map(selected.map(({ name, topicId }) => [name, topicId]))
  const limit = newLimit(READING)
  const statuses = new PartitionMap<PartitionStatus>()
  const unknown: BackupStatus['unknown'][number][] = []
  const looking = all.map(async where => {
    const logStart = starts.offsets.get(where)
    const end = ends.offsets.get(where)
    if (logStart === undefined || end === undefined) {
      unknown.push({ ...where, reason: ends.failed.get(where) ?? starts.failed.get(where) ?? 'no answer' })
      return
    }
    const facts = { logStart, end, committed: committed.get(where), topicId: topicIds.get(where.topic) }
    const first = (from: number) => limit(() => firstTimestamp(kafka, where, from, end, signal))
    const retention = retentionMs(configs.get(where.topic) ?? [])
    statuses.set(where, await protectionOf(where, facts, first, retention, clock.now()))
  })
  await Promise.all(looking)
  return { group: groupId, partitions: all.flatMap(where => statuses.get(where) ?? []), unknown, held: held.names }
}
