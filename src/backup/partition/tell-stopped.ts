import type { Kafka } from '../../kafka/port.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { decodeCommitNote, encodeCommitNote } from '../../format/commit-note.ts'
import { noteOfNothing } from '../resume/commit-note.ts'
import type { Committer } from '../resume/committer.ts'

export interface TellStoppedDeps {
  readonly kafka: Pick<Kafka, 'admin'>
  readonly groupId: string
  readonly archiveId: string
  readonly committer: Pick<Committer, 'commit'>
}

/**
 * Says in the note of the group's commit that a partition cannot go on with its owner: `--once` beside it, which owns others,
 * would wait for ever. The offset stays, if it speaks of this topic; the next owner, or this one after a restart, commits a note
 * of its own. To be called when nothing else is committed for the partition any more.
 */
export async function tellStopped(deps: TellStoppedDeps, ownership: Ownership, error: unknown): Promise<void> {
  const { kafka, groupId, archiveId, committer } = deps
  const [found] = await kafka.admin.topics([ownership.topic])
  const committed = (await kafka.admin.committed(groupId, [ownership])).get(ownership)
  const note = committed === undefined ? undefined : decodeCommitNote(committed.metadata)
  if (ownership.ended.aborted || found === undefined || found.error !== undefined) return
  if (note !== undefined && note.archiveId !== archiveId) return // another archive's group: FOREIGN_ARCHIVE says so
  const stopped = stopCode(error)
  const isOfTopic = committed !== undefined && note !== undefined && note.topicId === found.topicId
  const { offset, told } = isOfTopic
    ? { offset: committed.offset, told: { ...note, stopped } }
    : { offset: 0, told: noteOfNothing(archiveId, found.topicId, stopped) }
  await committer.commit({ ownership, offset, leaderEpoch: -1, metadata: encodeCommitNote(told) })
}

function stopCode(error: unknown): string {
  return error instanceof MaxbrodError ? error.code : 'BUG'
}
