import type { GroupSession } from '../kafka/port.ts'
import { Aborted, aborted } from '../runtime/aborted.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import { stopWithin } from '../runtime/stop.ts'
import type { Stop } from '../runtime/stop.ts'
import { completePlan, countRestored, isCommitted, planCommitted, planNow, sealComplete } from './completion.ts'
import type { CompletePlan } from './completion.ts'
import type { ExecutorDeps } from './deps.ts'
import { ExecutorRun } from './executor-run.ts'
import type { ExecutorOptions } from './options.ts'
import { checkPlanTopic, readHeads } from './plan-reader.ts'
import { describeFailure } from './result.ts'
import type { RestoreResult } from './result.ts'
import { rewindToQuarantined } from './retry-quarantined.ts'
import { verifyChains } from './verify-full.ts'
import { verifyShared } from './verify-shared.ts'
import type { SharedVerification } from './verify-shared.ts'

const REBALANCE_MS = 60_000
const METADATA_REFRESH_MS = 30_000
const SEAL_EVERY_MS = 15_000
/** A rebalance may leave a member with nothing for a moment. */
const IDLE_MS = 10_000

/**
 * An executor: a member of the plan's consumer group that restores the chains of the plan partitions it is given, until it
 * is stopped, or with `exitWhenDone` until all that was planned at its start is in the targets, whoever put it there. kill -9
 * at any moment loses and doubles nothing: the next owner of a plan partition goes on where the targets end.
 */
export async function runExecutor(deps: ExecutorDeps, options: ExecutorOptions, stop: Stop): Promise<RestoreResult> {
  const { kafka, log } = deps
  const { planTopic } = options
  const groupId = options.groupId ?? `maxbrod.restore.${planTopic}`
  const heads = await readHeads(kafka, planTopic, stop.aborted)
  const head = await checkPlanTopic(kafka, planTopic, heads)
  const plan = options.exitWhenDone ? await completePlan(deps, planTopic, head, stop.draining) : undefined

  using over = stopWithin(stop) // what runs beside the work must not outlive it
  const joined = Promise.withResolvers<GroupSession>()
  await using run = new ExecutorRun(deps, options, heads, joined.promise)
  log.info({ planTopic, restoreId: run.targets.restoreId, group: groupId }, 'restore begins')
  if (options.retryQuarantined) await rewindToQuarantined(deps, options, groupId, run.targets, stop.draining)
  else if (plan !== undefined && (await isCommitted(plan, kafka, planTopic, groupId)))
    return await summarize(deps, options, run, plan, stop, { groupId, session: undefined })
  const session = await kafka.joinGroup(
    {
      groupId,
      instanceId: options.workerName,
      sessionTimeoutMs: options.sessionTimeout,
      rebalanceTimeoutMs: REBALANCE_MS,
      metadataRefreshMs: METADATA_REFRESH_MS,
      selection: { fingerprint: planTopic, names: [planTopic], matches: ({ name }) => name === planTopic },
      listener: {
        assigned: ownerships => run.start(ownerships),
        revoked: ownerships => run.handOver(ownerships),
        lost: ownerships => run.drop(ownerships),
      },
    },
    stop.draining,
  )
  try {
    joined.resolve(session)
    void sayWhenIdle(deps, session, over)
    const work =
      plan === undefined ? workOn(deps, options, run, over) : untilDone(deps, options, run, plan, groupId, over)
    await Promise.race([work, run.broken, session.ended])
    await Promise.race([run.handOver(session.owned), aborted(stop.aborted)])
    return await summarize(deps, options, run, plan, stop, { groupId, session })
  } finally {
    over.drain('the executor ends')
    // Whoever takes over need not wait for the session time-out, only for the batches that are on their way.
    await Promise.race([run.handOver(session.owned), aborted(stop.aborted)])
    await session.leave()
  }
}

/**
 * Resolves when the whole plan is committed, or when chains of this executor cannot go on, and none of them is at work then;
 * at once when it is to stop.
 */
async function untilDone(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  run: ExecutorRun,
  plan: CompletePlan,
  groupId: string,
  stop: Stop,
): Promise<void> {
  for (;;) {
    await untilCommitted(deps, options, run, plan, groupId, stop)
    if (run.stoppedBy !== undefined || stop.draining.aborted) return
    // A target may have lost records behind the commit: its log end decides.
    const before = run.counts()
    if (!run.mend(before, await countRestored(deps, options.planTopic, plan, run.targets, stop.draining))) return
  }
}

async function untilCommitted(
  deps: ExecutorDeps,
  { planTopic }: ExecutorOptions,
  run: ExecutorRun,
  plan: CompletePlan,
  groupId: string,
  { draining }: Stop,
): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([draining, over.signal])
  try {
    const committed = planCommitted(plan, deps, planTopic, groupId, signal)
    const stopped = untilStopped(deps, run, signal)
    for (const one of [committed, stopped]) one.catch(() => undefined) // the slower one is called off below
    await Promise.race([committed, stopped])
  } catch (error) {
    if (draining.aborted) return
    throw error
  } finally {
    over.abort(new Aborted('the executor is done'))
  }
  await run.settled()
}

/**
 * Resolves when an executor that goes on is to stop, or cannot go on with one of its chains: it ends then, and whoever starts
 * it again tries that chain again.
 */
async function workOn(deps: ExecutorDeps, options: ExecutorOptions, run: ExecutorRun, over: Stop): Promise<void> {
  const stopped = untilStopped(deps, run, over.draining).catch((error: unknown) => {
    if (!over.draining.aborted) throw error
  })
  const verified = options.verify === 'full' ? [verifyAsTopicsComplete(deps, options, run, over)] : []
  await Promise.race([sealAsTopicsComplete(deps, options.planTopic, run, over), stopped, ...verified])
}

/** Of the topics that are complete, it reads back what it has restored itself. Throws TARGET_SPOILED for a difference. */
async function verifyAsTopicsComplete(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  run: ExecutorRun,
  { draining }: Stop,
): Promise<void> {
  const { targets } = run
  const side = { ...options, memory: options.memory / 4 }
  const done = new PartitionMap<number>()
  while (!draining.aborted) {
    await deps.clock.sleep(SEAL_EVERY_MS, draining)
    try {
      const { plan } = await planNow(deps.kafka, options.planTopic, targets.head, draining)
      if (plan === undefined) continue
      const counts = await countRestored(deps, options.planTopic, plan, targets, draining)
      const open = new Set(counts.filter(one => one.restored < one.planned).map(({ topic }) => topic))
      for (const count of counts) {
        if (open.has(count.topic) || !run.isOwn(count) || done.get(count) === count.planned) continue
        await verifyChains(deps, side, targets, [count], draining)
        done.set(count, count.planned)
        deps.log.info({ topic: count.topic, partition: count.partition, records: count.planned }, 'verified')
      }
    } catch (error) {
      if (isMaxbrodError(error, 'TARGET_SPOILED') && !draining.aborted) throw error
      if (!draining.aborted) deps.log.warn({ err: error }, 'could not verify what is complete, trying again')
    }
  }
}

/** What it does on the side: it seals topics as soon as they are complete, and mends those that lost records. Resolves when it is to stop. */
async function sealAsTopicsComplete(
  deps: ExecutorDeps,
  planTopic: string,
  run: ExecutorRun,
  { draining }: Stop,
): Promise<void> {
  const { targets } = run
  while (!draining.aborted) {
    await deps.clock.sleep(SEAL_EVERY_MS, draining)
    try {
      const { plan } = await planNow(deps.kafka, planTopic, targets.head, draining)
      if (plan === undefined) continue
      const before = run.counts()
      const counts = await countRestored(deps, planTopic, plan, targets, draining)
      run.mend(before, counts)
      await sealComplete(deps, counts, targets)
    } catch (error) {
      if (!draining.aborted) deps.log.warn({ err: error }, 'could not look whether topics are complete')
    }
  }
}

/** An executor that has nothing to do is not broken, and says so: there are no more plan partitions than that. */
async function sayWhenIdle({ clock, log }: ExecutorDeps, session: GroupSession, { draining }: Stop): Promise<void> {
  let wasIdle = false
  for (;;) {
    await clock.sleep(IDLE_MS, draining)
    if (draining.aborted) return
    const isIdle = session.owned.length === 0
    if (isIdle && !wasIdle) log.info('stands by: the other executors have all plan partitions')
    if (!isIdle && wasIdle) log.info('has plan partitions again')
    wasIdle = isIdle
  }
}

/** Resolves when a chain has stopped for good and the others of this executor are through. */
async function untilStopped({ clock }: ExecutorDeps, run: ExecutorRun, signal: AbortSignal): Promise<void> {
  while (run.stoppedBy === undefined) {
    signal.throwIfAborted()
    await clock.sleep(500, signal)
  }
  await run.settled()
}

/** Counts what is in the targets, seals what is complete, and says what is not. */
async function summarize(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  run: ExecutorRun,
  plan: CompletePlan | undefined,
  { draining }: Stop,
  member: Pick<SharedVerification, 'groupId' | 'session'>,
): Promise<RestoreResult> {
  const { planTopic } = options
  const isHeld = run.targets.all.some(({ topic }) => run.targets.isHeld(topic))
  const base = { planTopic, restoreId: run.targets.restoreId, recordsSent: run.recordsSent, executor: run.name, isHeld }
  if (run.stoppedBy !== undefined) throw run.stoppedBy
  if (plan === undefined || draining.aborted) return { ...base, result: 'ok', topics: [], verified: [], incomplete: [] }
  const found = await countRestored(deps, planTopic, plan, run.targets, draining)
  await sealComplete(deps, found, run.targets)
  const verified =
    options.verify === 'full' ? await verifyShared(deps, { options, run, plan, ...member }, found, draining) : []
  // Behind the seal nothing old can come any more, and what came before it shows.
  const counts = await countRestored(deps, planTopic, plan, run.targets, draining)
  // Names and counts do not tell a topic from another one that was created in its place.
  for (const topic of new Set(counts.map(count => count.topic))) await run.targets.inspect(topic)
  const incomplete = counts
    .filter(({ due, restored }) => restored < due)
    .map(({ topic, partition, due, restored }) => ({
      topic,
      partition,
      recordsPlanned: due,
      recordsRestored: restored,
      ...describeFailure(run.failed.get({ topic, partition })),
    }))
  const topics = [...new Set(counts.map(({ topic }) => topic))].map(topic => {
    const own = counts.filter(count => count.topic === topic)
    const sum = (pick: (one: (typeof own)[number]) => number) => own.reduce((total, one) => total + pick(one), 0)
    return {
      topic,
      partitions: own.length,
      recordsPlanned: sum(one => one.due),
      recordsRestored: sum(one => Math.min(one.restored, one.due)),
    }
  })
  return { ...base, result: incomplete.length === 0 ? 'ok' : 'partial', topics, verified, incomplete }
}
