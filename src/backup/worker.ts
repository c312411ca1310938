import type { GroupSession } from '../kafka/port/membership.ts'
import { aborted, isAborted } from '../runtime/aborted.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { stopWithin } from '../runtime/stop.ts'
import type { Stop } from '../runtime/stop.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { within } from '../runtime/within.ts'
import { DefinitionKeeper } from './topics/definitions.ts'
import type { WorkerContext, WorkerDeps } from './deps.ts'
import { HeldTopics } from './topics/held-topics.ts'
import { captureTargets, targetsReached } from './once.ts'
import type { OnceTargets } from './once.ts'
import type { BackupOptions } from './options.ts'
import type { BackupResult } from './result.ts'
import { nothingMatched } from './topics/nothing-matched.ts'
import { backupSelection } from './topics/selection.ts'
import { newSettling } from './settling.ts'
import { rescueGone } from './rescue/rescue-spool.ts'
import { WorkerRun } from './worker-run.ts'
import { openSpool } from './spool/spool.ts'
import { openWorkingDir } from './spool/working-dir.ts'

const REBALANCE_MS = 60_000
/** The group takes one to notice that a worker has died, and a while to give its partitions away. */
const SESSIONS_OF_PATIENCE = 2
/** How long uploads may go on once the worker was asked to stop: Kubernetes kills after 30 s, and Kafka has it all. */
const DRAIN_MS = 25_000

/**
 * A backup worker: a member of a consumer group that copies the partitions it is given to the object store, until it is
 * stopped, or with `once` until everything is durable that was committed when it began. kill -9 at any moment loses nothing:
 * the next owner of a partition goes on at the end of its chain in the store.
 */
export async function runBackup(deps: WorkerDeps, options: BackupOptions, stop: Stop): Promise<BackupResult> {
  const { kafka, store, random, disk, log, archive } = deps
  using folder = await openWorkingDir(disk, options.workingDir, random, options.workerName)
  const spool = await openSpool(folder.spoolFolder, deps, options)
  const context: WorkerContext = { ...deps, groupId: options.groupId, spool }
  const notUploaded = await rescueGone(spool, context, stop.draining)
  const held = new HeldTopics(deps)
  const selection = backupSelection(options, held)
  const seen = await kafka.admin.topics().catch(() => undefined) // who cannot list topics is told so below
  const nothing = seen === undefined ? undefined : nothingMatched(options, seen)
  if (nothing !== undefined) log.warn({ hint: nothing.hint }, nothing.message)
  const targets = options.once ? await captureTargets(kafka, selection) : undefined
  const facts = {
    clusterId: archive.clusterId,
    archiveId: archive.archiveId,
    store: store.url,
    group: options.groupId,
    worker: folder.workerName,
  }
  log.info(facts, 'backup begins')
  if (options.includeInternal) log.info('internal topics are backed up as well (--include-internal)')

  deps.vitals.readyUnless(() => `has not joined group ${options.groupId} yet`)
  using own = stopWithin(stop)
  const joined = Promise.withResolvers<GroupSession>()
  const patienceMs = SESSIONS_OF_PATIENCE * options.sessionTimeout
  await using run = new WorkerRun({
    context,
    options,
    progress: deps.progress,
    targets,
    session: joined.promise,
    definitions: new DefinitionKeeper(context, selection),
    patienceMs,
    stop: own,
  })
  // A worker that goes on tries again.
  if (options.once) for (const one of notUploaded) run.tally.notUploaded(one)
  using _seen = deps.onView?.(() => run.view)
  const begin = newSettling(deps, options.consumeDelay, own.draining)
  const joining = kafka.joinGroup(
    {
      groupId: options.groupId,
      instanceId: folder.workerName,
      sessionTimeoutMs: options.sessionTimeout,
      rebalanceTimeoutMs: REBALANCE_MS,
      metadataRefreshMs: options.metadataMaxAge,
      selection,
      listener: {
        assigned: ownerships => begin(() => run.partitions.start(ownerships)),
        revoked: ownerships => run.partitions.handOver(ownerships),
        lost: ownerships => run.partitions.drop(ownerships),
      },
    },
    stop.draining,
  )
  await using session = await joining.catch(unlessAsked(stop))
  if (session === undefined) return run.tally.result([], held.names)
  joined.resolve(session)
  deps.vitals.readyAsMember(options.groupId, () => session.provenAtMs, options.sessionTimeout)
  using _ = deps.onFlush(() => run.flushDesk.flush())

  const work =
    targets === undefined ? aborted(stop.draining) : untilReached(targets, context, run, session, held, patienceMs, own)
  await Promise.race([work, run.failed, session.ended])
  const finished = run.finish(options.flushOnStop)
  const bounded = stop.draining.aborted ? within(deps.clock, DRAIN_MS, finished) : finished
  await Promise.race([bounded, aborted(stop.aborted)])
  // Who ends for good does not let the others wait for the session time-out.
  if (targets !== undefined) await session.leave()
  const result = run.tally.result(targets?.behindOpenTransaction ?? [], held.names)
  // A schedule that backs up nothing must not look like one that works.
  return options.once && nothing?.isMistake === true
    ? { ...result, result: 'partial', nothingMatched: nothing.message }
    : result
}

/** For what is thrown because somebody asked to stop before it was done. */
function unlessAsked({ draining }: Stop): (error: unknown) => undefined {
  return error => {
    if (draining.aborted && isAborted(error)) return undefined
    throw error
  }
}

async function untilReached(
  targets: OnceTargets,
  { kafka, groupId, clock, archive }: WorkerContext,
  run: WorkerRun,
  session: GroupSession,
  held: HeldTopics,
  patienceMs: number,
  stop: Stop,
): Promise<void> {
  const leaveOut = (partition: TopicPartition, error: MaxbrodError) => {
    run.tally.stopped(partition, error)
    run.tally.leaveOut(partition)
  }
  for (const [partition, error] of targets.unknown) leaveOut(partition, error)
  try {
    await targetsReached(targets, {
      kafka,
      groupId,
      archiveId: archive.archiveId,
      clock,
      ownEnds: () => run.partitions.endsOf(session.owned),
      isStopped: partition => run.tally.isStopped(partition),
      onLeftOut: partition => run.tally.leaveOut(partition),
      onStoppedElsewhere: (partition, code) => {
        const message = `another worker of the group cannot go on with it (${code})`
        const hint = 'its log says why; start it again when that is mended'
        leaveOut(partition, new MaxbrodError('PARTIAL', message, { ...partition, hint }))
      },
      patienceMs,
      othersSinceMs: () => session.otherSelection?.sinceMs,
      onNotShared: partition => {
        const message = `group ${groupId} has workers that select other topics, and one of them shares out the partitions`
        const hint = 'give backups with another selection a group of their own: --group-id'
        leaveOut(partition, new MaxbrodError('PARTIAL', message, { ...partition, hint }))
      },
      isHeld: topic => held.isHeld(topic),
      onGone: partition => {
        const message = `the topic was deleted before all of ${partitionName(partition)} was backed up`
        leaveOut(partition, new MaxbrodError('PARTIAL', message, { ...partition }))
        run.partitions.retire(partition)
      },
      signal: stop.draining,
    })
  } catch (error) {
    if (!isAborted(error)) throw error
  }
}
