import type { Archive } from '../../catalog/archive.ts'
import { readFirstIncarnation } from '../../catalog/incarnation.ts'
import { listTiles } from '../../catalog/tile-list.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { CommittedOffset } from '../../kafka/port/admin.ts'
import type { Kafka } from '../../kafka/port.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { decodeCommitNote, encodeCommitNote } from '../../format/commit-note.ts'
import { requireArchive } from '../resume/commit-note.ts'
import { readLogBounds } from '../resume/log-bounds.ts'
import { decideReset } from './reset-decision.ts'
import type { ResetVerdict } from './reset-decision.ts'
import type { ResetOptions, ResetTo } from './reset-options.ts'
import { backupSelection } from '../topics/selection.ts'

export interface ResetDeps {
  readonly kafka: Kafka
  readonly store: ObjectStore
  /** Undefined while nothing is backed up there; must be there for a reset that is confirmed. */
  readonly archive: Archive | undefined
}

export interface ResetPartition extends TopicPartition {
  readonly committed: number | undefined
  readonly becomes: ResetVerdict | { readonly kind: 'refused'; readonly reason: string }
}

export interface ResetResult {
  readonly group: string
  readonly isDone: boolean
  readonly partitions: readonly ResetPartition[]
}

/** Partitions that the store is asked about at the same time. */
const LISTING = 16

/**
 * Says where workers begin with partitions that have no files yet, by commits in the name of their group. What has files goes on
 * where they end, whatever is committed: nothing is written twice, and no hole is made. Throws GROUP_ACTIVE while there are
 * workers, FOREIGN_ARCHIVE when the group belongs to another archive. Without `confirm` it only says what it would do.
 */
export async function resetBackup(deps: ResetDeps, options: ResetOptions, signal: AbortSignal): Promise<ResetResult> {
  const { kafka, archive } = deps
  const { groupId, confirm, to } = options
  const selection = backupSelection(options)
  const selected = (await kafka.admin.topics())
    .filter(topic => selection.matches(topic))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const all = selected.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  )
  const topicIds = new Map(selected.map(({ name, topicId }) => [name, topicId]))
  const [committed, bounds, wanted, folders] = await Promise.all([
    kafka.admin.committed(groupId, all),
    readLogBounds(kafka, all),
    wantedOffsets(kafka, to, all),
    foldersOf(deps.store, topicIds, signal),
  ])
  const limit = newLimit(LISTING)
  const decided = await Promise.all(
    all.map(where =>
      limit(async (): Promise<ResetPartition> => {
        const found = committed.get(where)
        const known = bounds.get(where)
        const offset = wanted.get(where)
        const row = { ...where, committed: found?.offset }
        if (known === undefined || known instanceof MaxbrodError || offset === undefined)
          return { ...row, becomes: { kind: 'refused', reason: known instanceof Error ? known.message : 'no answer' } }
        const note = noteOf(where, found, archive, topicIds.get(where.topic))
        const place = { ...where, topicId: folders.get(where.topic), lineage: undefined }
        const hasFiles = await hasAny(deps.store, place, signal)
        return { ...row, becomes: decideReset({ bounds: known, wanted: offset, hasFiles, committed: found, note }) }
      }),
    ),
  )
  if (!confirm || archive === undefined) return { group: groupId, isDone: false, partitions: decided }
  signal.throwIfAborted()
  const { archiveId } = archive
  const commits = decided.flatMap(({ topic, partition, becomes }) => {
    if (becomes.kind !== 'move') return []
    const { to: offset } = becomes
    const note = { archiveId, topicId: topicIds.get(topic), lineage: undefined, lastFrom: undefined, origin: offset }
    return [
      [
        { topic, partition },
        { offset, metadata: encodeCommitNote(note) },
      ] as const,
    ]
  })
  const refused = await kafka.admin.commitFromOutside(groupId, new PartitionMap(commits))
  const partitions = decided.map(row => {
    const reason = refused.get(row)
    return reason === undefined ? row : { ...row, becomes: { kind: 'refused' as const, reason } }
  })
  return { group: groupId, isDone: true, partitions }
}

async function wantedOffsets(
  { admin }: Kafka,
  to: ResetTo,
  partitions: readonly TopicPartition[],
): Promise<PartitionMap<number>> {
  if (to.kind === 'time') return (await admin.offsetsSince(to.ms, partitions)).offsets
  const offset = to.kind === 'beginning' ? 0 : to.offset // raised to the log's start
  return new PartitionMap(partitions.map(where => [where, offset] as const))
}

/** The id in the name of each topic's folder, as a worker would choose it; a topic that was never backed up gets the plain one. */
async function foldersOf(
  store: ObjectStore,
  topicIds: ReadonlyMap<string, string | undefined>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string | undefined>> {
  const limit = newLimit(LISTING)
  const folders = [...topicIds].map(([topic, topicId]) =>
    limit(async () => {
      const first = topicId === undefined ? undefined : await readFirstIncarnation(store, topic, signal)
      return [topic, first === undefined || first === topicId ? undefined : topicId] as const
    }),
  )
  return new Map(await Promise.all(folders))
}

function noteOf(
  where: TopicPartition,
  committed: CommittedOffset | undefined,
  archive: Archive | undefined,
  topicId: string | undefined,
) {
  const note = committed === undefined ? undefined : decodeCommitNote(committed.metadata)
  if (note === undefined) return undefined
  requireArchive(note, archive?.archiveId ?? 'none yet', where)
  return note.topicId === topicId && note.lineage === undefined ? note : undefined
}

async function hasAny(store: ObjectStore, place: PartitionPlace, signal: AbortSignal): Promise<boolean> {
  for await (const _ of listTiles(store, place, 0, { onForeign: () => undefined, signal })) return true
  return false
}
