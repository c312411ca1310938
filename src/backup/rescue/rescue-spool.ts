import { findArchive } from '../../catalog/archive.ts'
import { isMaxbrodError, messageOf } from '../../runtime/errors.ts'
import type { WorkerContext } from '../deps.ts'
import type { BackupOptions } from '../options.ts'
import { openSpool } from '../spool/spool.ts'
import type { Spool } from '../spool/spool.ts'
import { openWorkingDir } from '../spool/working-dir.ts'
import { goneHeads } from './gone-heads.ts'
import type { RescueDeps } from './rescue-chain.ts'
import { rescueTiles } from './rescue-tiles.ts'
import type { SpoolOnly } from './spool-only.ts'

/** True for what a worker gives up over while its spool may hold what nobody else has. */
export function isKafkaGone(error: unknown): boolean {
  return isMaxbrodError(error, 'KAFKA_UNREACHABLE', 'KAFKA_GAVE_UP')
}

/**
 * Uploads what the spool of a working folder holds, when Kafka cannot be reached: it may be all that there will be. Needs the
 * store alone; commits nothing, because the next worker finds the files. Never throws: the worker ends by the error that
 * led here.
 */
export async function rescueSpool(
  deps: Omit<RescueDeps, 'why'>,
  options: BackupOptions,
  signal: AbortSignal,
): Promise<void> {
  const { disk, random, log, store } = deps
  try {
    using folder = await openWorkingDir(disk, options.workingDir, random, options.workerName)
    const spool = await openSpool(folder.spoolFolder, deps, options)
    if (spool.heads.length === 0) return log.debug('the spool holds nothing that could be uploaded')
    const archive = await findArchive(store, signal)
    if (archive === undefined)
      return log.warn({ store: store.url }, 'what the spool holds is kept: there is no backup in the store yet')
    const why = 'Kafka cannot be reached'
    await rescueTiles(spool, archive, spool.heads, { ...deps, why, othersAre: 'kept' }, signal)
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'could not upload what the spool holds; it is kept')
  }
}

/**
 * Uploads what the spool holds of topics that were deleted since, or created again: nobody can read that any more. To be called
 * before partitions take what is theirs. Never throws: it is no worse off than without. Returns what the store still lacks.
 */
export async function rescueGone(
  spool: Spool,
  deps: WorkerContext,
  signal: AbortSignal,
): Promise<readonly SpoolOnly[]> {
  const { kafka, archive, log } = deps
  try {
    const gone = await goneHeads(kafka.admin, spool.heads)
    const why = 'the topic was deleted'
    const { stuck, later } = await rescueTiles(spool, archive, gone, { ...deps, why, othersAre: 'kept' }, signal)
    return [...stuck, ...later].map(({ only }) => only)
  } catch (error) {
    log.warn(
      { reason: messageOf(error) },
      'could not look for topics that the spool holds records of and that are gone',
    )
    return []
  }
}
