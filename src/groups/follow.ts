import { SoundSnapshots } from '../catalog/sound-snapshots.ts'
import type { ClusterAdmin } from '../kafka/port/admin.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import type { Stop } from '../runtime/stop.ts'
import { chooseSnapshot } from './choose-snapshot.ts'
import type { ChosenSnapshot } from './choose-snapshot.ts'
import { commitGroup } from './commit-group.ts'
import type { Translated } from './commit-group.ts'
import { entriesOf, isOurOwn } from './entries.ts'
import { groupsRestoreMetrics } from './metrics.ts'
import { passOver } from './pass-over.ts'
import { PlanView } from './plan-view.ts'
import { entryRules } from './restore.ts'
import type { GroupsRestoreDeps } from './restore.ts'
import type { GroupsRestoreOptions } from './restore-options.ts'
import { Targets } from './targets.ts'
import { isAhead } from './translate.ts'
import { VERDICTS } from './verdict.ts'
import type { Verdict } from './verdict.ts'

/** Groups that are committed at the same time. */
const COMMITTING = 16
/** What may be better at the next look. */
const PASSING = [
  'KAFKA_GAVE_UP',
  'STORAGE_UNREACHABLE',
  'BACKUP_NOT_FOUND',
  'OBJECT_MISSING',
  'OBJECT_CORRUPT',
] as const

/**
 * Keeps the groups of a standby where they could go on at any moment: newer snapshots as they come, and as far as their data
 * has come. Goes on until it is asked to stop. Moves forwards only, whoever has committed what is there.
 */
export async function followGroups(deps: GroupsRestoreDeps, options: GroupsRestoreOptions, stop: Stop): Promise<void> {
  const { kafka, store, clock, log, metrics, vitals } = deps
  const choosing = { store, clock, log, sound: new SoundSnapshots(store, passOver(log)) }
  const plan = new PlanView(kafka, options.planTopic)
  const unplanned = { isAllHere: true, trustsFilled: true }
  const targets = new Targets(kafka, plan)
  const gauges = metrics.of(groupsRestoreMetrics)
  const told = new Map<string, string>()
  let chosen: ChosenSnapshot | undefined
  using _age = metrics.beforeScrape(() =>
    gauges.snapshotAgeSeconds.set(chosen?.atMs === undefined ? 0 : Math.max(0, (clock.now() - chosen.atMs) / 1_000)),
  )
  while (!stop.draining.aborted) {
    try {
      await plan.refresh(stop.aborted)
      chosen = await chooseSnapshot(choosing, { at: undefined, snapshot: undefined }, () => true, stop.aborted)
      const entries = entriesOf(chosen.groups, entryRules(options, plan)).filter(entry => !isOurOwn(entry))
      const { verdicts } = await targets.translateAll(entries, chosen.point, unplanned, stop.aborted)
      const translated = entries.map((entry, n) => ({ entry, verdict: asFarAsItIs(verdicts[n] as Verdict) }))
      const settled = await moveForwards(kafka.admin, translated)
      for (const [group, of] of Map.groupBy(settled, ({ entry }) => entry.targetGroup)) {
        const bad = of.find(({ verdict }) => ['group-active', 'failed'].includes(verdict.kind))?.verdict
        if (bad !== undefined && told.get(group) !== bad.reason)
          log.warn({ group, verdict: bad.kind, reason: bad.reason }, 'a group does not follow')
        told.set(group, bad?.reason ?? '')
      }
      gauges.groups.set(told.size)
      const counts = Map.groupBy(settled, ({ verdict }) => verdict.kind)
      vitals.readyUnless(() => undefined)
      for (const state of VERDICTS) gauges.offsets.set(counts.get(state)?.length ?? 0, { state })
    } catch (error) {
      if (!isMaxbrodError(error, ...PASSING)) throw error
      vitals.readyUnless(() => `the last look brought nothing: ${error.code}`)
      log.error({ err: error }, 'the groups could not follow; the next look tries again')
    }
    await clock.sleep(options.loopInterval, stop.draining)
  }
}

/** A group that had read more than has come so far has read all that is here: it goes on from the end, and is moved on as more comes. */
function asFarAsItIs(verdict: Verdict): Verdict {
  return verdict.kind === 'waiting' ? { ...verdict, to: verdict.reached } : verdict
}

async function moveForwards(admin: ClusterAdmin, translated: readonly Translated[]): Promise<Translated[]> {
  const byGroup = Map.groupBy(translated, ({ entry }) => entry.targetGroup)
  if (byGroup.size === 0) return []
  const there = await admin.groupOffsets([...byGroup.keys()])
  const limit = newLimit(COMMITTING)
  const moving = [...byGroup].map(([group, verdicts]) => {
    const commits = verdicts.filter(({ entry, verdict: { to } }) => {
      const now = there.offsets.get(group)?.get(entry.target)
      return to !== undefined && isAhead(now, { ...entry, offset: to })
    })
    return limit(() => commitGroup(admin, { commits, verdicts }))
  })
  return (await Promise.all(moving)).flat()
}
