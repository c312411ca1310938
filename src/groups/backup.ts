import type { Metrics } from '../observe/metrics.ts'
import type { Vitals } from '../observe/vitals.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import type { GroupsBackupOptions } from './backup-options.ts'
import { GroupKeeper } from './keeper.ts'
import type { KeeperDeps, KeptGroups, KeptPoint } from './keeper.ts'
import { groupsBackupMetrics } from './metrics.ts'

export interface GroupsBackupDeps extends KeeperDeps {
  readonly metrics: Metrics
  readonly vitals: Vitals
}

/** What the store says after a look. */
export type Kept = KeptGroups & KeptPoint

/** What may be better at the next look: a worker waits for it. */
const PASSING = ['KAFKA_GAVE_UP', 'STORAGE_UNREACHABLE', 'GROUPS_VANISHED', 'OBJECT_CHANGED'] as const

/**
 * Backs consumer groups up, once or at each interval until it is asked to stop. Answers what the store said last; undefined when
 * it was stopped before the first look. Continuously, passing troubles are told and tried again.
 */
export async function backUpGroups(
  deps: GroupsBackupDeps,
  options: GroupsBackupOptions,
  stop: Stop,
): Promise<Kept | undefined> {
  const { clock, log, metrics, vitals } = deps
  const keeper = new GroupKeeper(deps, options)
  const counted = metrics.of(groupsBackupMetrics)
  let groupsSeenAtMs = clock.monotonic()
  let pointSeenAtMs = groupsSeenAtMs
  using _ages = metrics.beforeScrape(() => {
    counted.snapshotAgeSeconds.set((clock.monotonic() - groupsSeenAtMs) / 1_000)
    counted.pointAgeSeconds.set((clock.monotonic() - pointSeenAtMs) / 1_000)
  })
  const told = new Set<string>()
  let kept: Kept | undefined
  while (!stop.draining.aborted) {
    const startedAtMs = clock.monotonic()
    try {
      const { vanished, topics, ...groups } = await vitals.during('a look at the groups', () =>
        keeper.keepGroups(stop.aborted),
      )
      if (vanished === undefined) {
        groupsSeenAtMs = startedAtMs
        counted.groups.set(groups.groups)
        counted.offsets.set(groups.offsets)
      }
      if (groups.isNewSnapshot) counted.snapshotsTotal.add(1)
      for (const group of groups.denied.filter(one => !told.has(one))) {
        told.add(group)
        log.warn({ group }, 'a group is not backed up: this user may not describe it')
      }
      const point = await vitals.during('a look at the partitions', () => keeper.keepPoint(topics, stop.aborted))
      pointSeenAtMs = startedAtMs
      if (point.isNewPoint) counted.pointsTotal.add(1)
      if (vanished !== undefined) throw vanished
      kept = { ...groups, ...point }
      vitals.readyUnless(() => undefined)
    } catch (error) {
      if (options.once || !isMaxbrodError(error, ...PASSING)) throw error
      counted.failuresTotal.add(1)
      vitals.readyUnless(() => `the last look brought nothing: ${error.code}`)
      log.error({ err: error }, 'the groups could not be backed up; the next look tries again')
    }
    if (options.once) return kept
    await clock.sleep(Math.max(0, options.interval - (clock.monotonic() - startedAtMs)), stop.draining)
  }
  return kept
}
