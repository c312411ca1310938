import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Progress } from '../observe/progress.ts'
import type { Vitals } from '../observe/vitals.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import type { ObjectStore } from '../storage/port.ts'
import { chooseSnapshot } from './choose-snapshot.ts'
import type { Choice, ChosenSnapshot } from './choose-snapshot.ts'
import type { Translated } from './commit-group.ts'
import { isCovered } from './covered.ts'
import { entriesOf, isOurOwn } from './entries.ts'
import type { Entry, EntryRules } from './entries.ts'
import { lookOf } from './last-look.ts'
import { groupsRestoreMetrics } from './metrics.ts'
import { PlanView } from './plan-view.ts'
import type { GroupsRestoreOptions } from './restore-options.ts'
import { settleGroups } from './settle-groups.ts'
import { Targets } from './targets.ts'
import { VERDICTS, isTranslated } from './verdict.ts'
import type { Verdict, VerdictKind } from './verdict.ts'

export interface GroupsRestoreDeps {
  readonly kafka: Kafka
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly progress: Progress
  readonly vitals: Vitals
}

export interface GroupsRestoreResult {
  readonly snapshot: string
  readonly point: string | undefined
  readonly isExecuted: boolean
  readonly groups: number
  readonly entries: readonly Translated[]
}

/**
 * Restores consumer groups: finds for each saved offset where it is in the restored topics, and commits it. Goes on until each of
 * them has its verdict: as long as the restore brings something, and no longer than it may take.
 */
export async function restoreGroups(
  deps: GroupsRestoreDeps,
  options: GroupsRestoreOptions & Pick<Choice, 'location'>,
  stop: Stop,
): Promise<GroupsRestoreResult> {
  const { kafka, clock, log, metrics, progress } = deps
  const plan = new PlanView(kafka, options.planTopic)
  await plan.refresh(stop.aborted)
  const rules = entryRules(options, plan)
  const chosen = await chooseSnapshot(deps, options, point => isCovered(point, plan, rules.mapping), stop.aborted)
  const entries = entriesOf(chosen.groups, rules)
  if (entries.length === 0 && chosen.groups.length > 0) throw nothingSelected(chosen)
  const targets = new Targets(kafka, plan)
  const gauges = metrics.of(groupsRestoreMetrics)
  const verdicts = new Map<Entry, Verdict>(
    entries.filter(isOurOwn).map(entry => [entry, { kind: 'skipped', reason: 'a backup of maxbrod: it has its own' }]),
  )
  const groups = new Set(entries.map(({ targetGroup }) => targetGroup))
  deps.vitals.readyUnless(() => undefined)
  log.info({ snapshot: chosen.key, groups: groups.size, offsets: entries.length }, 'restoring consumer groups')
  gauges.groups.set(groups.size)
  using _age = metrics.beforeScrape(() => gauges.snapshotAgeSeconds.set(ageSeconds(chosen, clock)))
  using task = progress.task('groups', { unit: 'offsets', total: entries.length })

  const startedAt = clock.monotonic()
  let movedAt = startedAt
  let moved = -1
  let shown = 0
  let isCutShort = false
  for (;;) {
    const now = clock.monotonic()
    const isStopping = stop.draining.aborted
    const look = lookOf(options, { isStopping, elapsedMs: now - startedAt, stillMs: now - movedAt })
    const open = entries.filter(entry => !verdicts.has(entry))
    await plan.refresh(stop.aborted)
    // Who says how long it may take knows what is there by then.
    const unplanned = { isAllHere: look.isAllHere, trustsFilled: options.timeout !== undefined }
    const { verdicts: found, reached } = await targets.translateAll(open, chosen.point, unplanned, stop.aborted)
    const ready = wholeGroups(
      open.map((entry, n) => ({ entry, verdict: found[n] as Verdict })),
      look.isFinal,
    )
    const decided = await settleGroups(kafka.admin, ready, options, options.execute, log)
    for (const { entry, verdict } of decided) verdicts.set(entry, verdict)
    if (options.execute) gauges.groupsCommittedTotal.add(countRestored(decided))
    showStates(gauges, entries, verdicts)
    task.add(verdicts.size - shown)
    shown = verdicts.size
    isCutShort = look.isLast && !look.isFinal
    if (verdicts.size === entries.length || look.isLast) break
    if (reached !== moved) movedAt = clock.monotonic()
    moved = reached
    const leftMs = (options.timeout ?? Infinity) - (clock.monotonic() - startedAt)
    await clock.sleep(Math.max(0, Math.min(options.loopInterval, leftMs)), stop.draining)
  }
  const all = entries.map(entry => ({
    entry,
    verdict: verdicts.get(entry) ?? { kind: 'waiting' as const, reason: 'stopped before all of its group was here' },
  }))
  return {
    snapshot: chosen.key,
    point: chosen.point?.key,
    isExecuted: options.execute,
    groups: groups.size,
    entries: options.execute && !isCutShort ? all.map(giveUp) : all,
  }
}

function nothingSelected({ key, groups }: ChosenSnapshot): MaxbrodError {
  const message = `${key} has ${groups.length} groups, and no offset of one that is selected`
  return new MaxbrodError('BACKUP_NOT_FOUND', message, {
    hint: 'check --groups and --exclude-groups; an older snapshot may have it: --at, or --snapshot',
  })
}

/** Names as the user says; else as the plan does, else as they were. */
export function entryRules(options: GroupsRestoreOptions, plan: PlanView): EntryRules {
  const { groups, excludeGroups, groupPrefix = '', targetPrefix, rename } = options
  const given = { targetPrefix: targetPrefix ?? '', rename: [...rename] }
  const isGiven = targetPrefix !== undefined || rename.size > 0
  return { groups, excludeGroups, groupPrefix, mapping: isGiven ? given : (plan.head?.mapping ?? given) }
}

/** Those of groups of which nothing is waited for any more: a group is committed when all of its partitions are there. */
function wholeGroups(found: readonly Translated[], isFinal: boolean): Translated[] {
  if (isFinal) return [...found]
  const waiting = new Set(
    found.filter(({ verdict }) => verdict.kind === 'waiting').map(({ entry }) => entry.targetGroup),
  )
  return found.filter(({ entry }) => !waiting.has(entry.targetGroup))
}

function countRestored(decided: readonly Translated[]): number {
  return new Set(decided.filter(one => isTranslated(one.verdict)).map(({ entry }) => entry.targetGroup)).size
}

function giveUp({ entry, verdict }: Translated): Translated {
  if (verdict.kind !== 'waiting') return { entry, verdict }
  return { entry, verdict: { kind: 'failed', reason: 'its partition was not restored so far in time' } }
}

function showStates(
  gauges: { offsets: { set(to: number, of: { state: VerdictKind }): void } },
  entries: readonly Entry[],
  verdicts: ReadonlyMap<Entry, Verdict>,
): void {
  const counts = Map.groupBy(entries, entry => verdicts.get(entry)?.kind ?? 'waiting')
  for (const state of VERDICTS) gauges.offsets.set(counts.get(state)?.length ?? 0, { state })
}

function ageSeconds({ atMs }: ChosenSnapshot, clock: Clock): number {
  return atMs === undefined ? 0 : Math.max(0, (clock.now() - atMs) / 1_000)
}
