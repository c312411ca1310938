import type { Kafka, Ownership } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { decodeCommitNote, encodeCommitNote } from './commit-note.ts'
import type { Committer } from './committer.ts'

export interface TellStoppedDeps {
  readonly kafka: Pick<Kafka, 'admin'>
  readonly groupId: string
  readonly archiveId: string
  readonly committer: Pick<Committer, 'commit'>
}

/**
 * Says in the note of the group's commit that a partition cannot go on with its owner: `--once` beside it, which owns others,
 * would wait for ever. The offset stays; the next owner, or this one after a restart, commits a note of its own. To be called
 * when nothing else is committed for the partition any more.
 */
export async function tellStopped(deps: TellStoppedDeps, ownership: Ownership, error: unknown): Promise<void> {
  const { kafka, groupId, archiveId, committer } = deps
  const committed = (await kafka.admin.committed(groupId, [ownership])).get(ownership)
  const note = committed === undefined ? undefined : decodeCommitNote(committed.metadata)
  if (committed === undefined || note?.archiveId !== archiveId || ownership.ended.aborted) return
  const metadata = encodeCommitNote({ ...note, stopped: stopCode(error) })
  await committer.commit({ ownership, offset: committed.offset, leaderEpoch: -1, metadata })
}

function stopCode(error: unknown): string {
  return error instanceof MaxbrodError ? error.code : 'BUG'
}
