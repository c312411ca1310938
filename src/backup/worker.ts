import type { GroupSession } from '../kafka/port.ts'
import { aborted, isAborted } from '../runtime/aborted.ts'
import { stopWithin } from '../runtime/stop.ts'
import type { Stop } from '../runtime/stop.ts'
import { DefinitionKeeper } from './definitions.ts'
import type { BackupDeps, WorkerContext } from './deps.ts'
import { captureTargets, targetsReached } from './once.ts'
import type { OnceTargets } from './once.ts'
import type { BackupOptions } from './options.ts'
import type { BackupResult } from './result.ts'
import { backupSelection } from './selection.ts'
import { WorkerRun } from './worker-run.ts'
import { openWorkingDir } from './working-dir.ts'

const REBALANCE_MS = 60_000

/**
 * A backup worker: a member of a consumer group that copies the partitions it is given to the object store, until it is
 * stopped, or with `once` until everything is durable that was committed when it began. kill -9 at any moment loses nothing:
 * the next owner of a partition goes on at the end of its chain in the store.
 */
export async function runBackup(deps: BackupDeps, options: BackupOptions, stop: Stop): Promise<BackupResult> {
  const { kafka, store, random, disk, log, archive } = deps
  using folder = await openWorkingDir(disk, options.workingDir, random, options.workerName)
  const context: WorkerContext = { ...deps, groupId: options.groupId, spoolFolder: folder.spoolFolder }
  const selection = backupSelection(options.topics, options.excludeTopics)
  const targets = options.once ? await captureTargets(kafka, selection) : undefined
  const facts = {
    clusterId: archive.clusterId,
    archiveId: archive.archiveId,
    store: store.url,
    group: options.groupId,
    worker: folder.workerName,
  }
  log.info(facts, 'backup begins')

  using own = stopWithin(stop)
  const joined = Promise.withResolvers<GroupSession>()
  await using run = new WorkerRun({
    context,
    options,
    progress: deps.progress,
    targets,
    session: joined.promise,
    definitions: new DefinitionKeeper(context, selection),
    stop: own,
  })
  const session = await kafka.joinGroup({
    groupId: options.groupId,
    instanceId: folder.workerName,
    sessionTimeoutMs: options.sessionTimeout,
    rebalanceTimeoutMs: REBALANCE_MS,
    metadataRefreshMs: options.metadataMaxAge,
    selection,
    listener: {
      assigned: ownerships => run.partitions.start(ownerships),
      revoked: ownerships => run.partitions.handOver(ownerships),
      lost: ownerships => run.partitions.drop(ownerships),
    },
  })
  await using _ = session
  joined.resolve(session)

  const work = targets === undefined ? aborted(stop.draining) : untilReached(targets, context, run, own)
  await Promise.race([work, run.failed, session.ended])
  await Promise.race([run.finish(options.flushOnStop), aborted(stop.aborted)])
  // Who ends for good does not let the others wait for the session time-out.
  if (targets !== undefined) await session.leave()
  return run.tally.result(targets?.behindOpenTransaction ?? [])
}

async function untilReached(
  targets: OnceTargets,
  { kafka, groupId, clock }: WorkerContext,
  run: WorkerRun,
  stop: Stop,
): Promise<void> {
  try {
    await targetsReached(targets, kafka, groupId, clock, partition => run.tally.isStopped(partition), stop.draining)
  } catch (error) {
    if (!isAborted(error)) throw error
  }
}
