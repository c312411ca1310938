import type { Ownership } from '../../kafka/port/membership.ts'
import type { Logger } from '../../observe/logger.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { Committer } from '../resume/committer.ts'
import type { WorkerContext } from '../deps.ts'
import type { BackupTally } from '../result.ts'
import { tellStopped } from './tell-stopped.ts'

export interface SayStoppedDeps {
  readonly context: WorkerContext
  readonly committer: Committer
  readonly tally: BackupTally
  /** What the group is being told: who ends waits for it, or nobody would hear it. */
  readonly telling: Set<Promise<void>>
}

/** Says that a partition cannot go on: in the log, in the result, and to the group once its uploads have `drained`. */
export function sayStopped(
  { context, committer, tally, telling }: SayStoppedDeps,
  ownership: Ownership,
  error: unknown,
  drained: Promise<void> | undefined,
  log: Logger,
): void {
  const { kafka, groupId, archive } = context
  tally.stopped(ownership, error)
  const deps = { kafka, groupId, archiveId: archive.archiveId, committer }
  const told = (drained ?? Promise.resolve())
    .then(() => tellStopped(deps, ownership, error))
    .catch((cause: unknown) => log.warn({ err: cause }, 'could not tell the group that the partition stopped'))
    .finally(() => telling.delete(told))
  telling.add(told)
  log.error({ err: error }, `${partitionName(ownership)} cannot be backed up any further; the others go on`)
}
