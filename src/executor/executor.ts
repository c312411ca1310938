import { usualRestoreGroup } from '../format/restore-group.ts'
import type { GroupSession } from '../kafka/port/membership.ts'
import { aborted } from '../runtime/aborted.ts'
import { stopWithin } from '../runtime/stop.ts'
import type { Stop } from '../runtime/stop.ts'
import { completePlan, isCommitted } from './completion.ts'
import type { ExecutorDeps } from './deps.ts'
import { ExecutorRun } from './executor-run.ts'
import { sayWhenIdle, workOn } from './on-the-side.ts'
import type { ExecutorOptions } from './options.ts'
import { checkPlanTopic, readHeads } from './plan-reader.ts'
import type { RestoreResult } from './result.ts'
import { rewindToQuarantined } from './retry-quarantined.ts'
import { seeBackup } from './see-backup.ts'
import { summarize } from './summary.ts'
import { untilDone } from './until-done.ts'

const REBALANCE_MS = 60_000
const METADATA_REFRESH_MS = 30_000

/**
 * An executor: a member of the plan's consumer group that restores the chains of the plan partitions it is given, until it
 * is stopped, or with `exitWhenDone` until all that was planned at its start is in the targets, whoever put it there. kill -9
 * at any moment loses and doubles nothing: the next owner of a plan partition goes on where the targets end.
 */
export async function runExecutor(deps: ExecutorDeps, options: ExecutorOptions, stop: Stop): Promise<RestoreResult> {
  const { kafka, log } = deps
  const { planTopic } = options
  const groupId = options.groupId ?? usualRestoreGroup(planTopic)
  deps.vitals.readyUnless(() => `has not read the plan in ${planTopic} yet`)
  const heads = await readHeads(kafka, planTopic, stop.aborted)
  const head = await checkPlanTopic(kafka, planTopic, heads)
  const plan = options.exitWhenDone ? await completePlan(deps, planTopic, head, stop.draining) : undefined

  using over = stopWithin(stop) // what runs beside the work must not outlive it
  const joined = Promise.withResolvers<GroupSession>()
  await using run = new ExecutorRun(deps, options, heads, joined.promise)
  using _seen = deps.onView?.(() => run.view)
  log.info({ planTopic, restoreId: run.targets.restoreId, group: groupId }, 'restore begins')
  if (options.retryQuarantined) await rewindToQuarantined(deps, options, groupId, run.targets, stop.draining)
  else if (plan !== undefined && (await isCommitted(plan, kafka, planTopic, groupId)))
    return await summarize(deps, options, run, plan, stop, { groupId, session: undefined })
  await seeBackup(deps, planTopic, head, stop.draining)
  deps.vitals.readyUnless(() => `has not joined group ${groupId} yet`)
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
    deps.vitals.readyAsMember(groupId, () => session.provenAtMs, options.sessionTimeout)
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
