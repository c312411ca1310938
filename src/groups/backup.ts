import type { Metrics } from '../observe/metrics.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { Stop } from '../runtime/stop.ts'
import type { GroupsBackupOptions } from './backup-options.ts'
import { GroupKeeper } from './keeper.ts'
import type { KeeperDeps, Kept } from './keeper.ts'
import { groupsBackupMetrics } from './metrics.ts'

export interface GroupsBackupDeps extends KeeperDeps {
  readonly metrics: Metrics
}

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
  const { clock, log, metrics } = deps
  const keeper = new GroupKeeper(deps, options)
  const counted = metrics.of(groupsBackupMetrics)
  let seenAtMs = clock.monotonic()
  using _ages = metrics.beforeScrape(() => {
    const seconds = (clock.monotonic() - seenAtMs) / 1_000
    counted.snapshotAgeSeconds.set(seconds)
    counted.pointAgeSeconds.set(seconds)
  })
  const told = new Set<string>()
  let kept: Kept | undefined
  while (!stop.draining.aborted) {
    const startedAtMs = clock.monotonic()
    try {
      kept = await keeper.keep(stop.aborted)
      seenAtMs = startedAtMs
      counted.groups.set(kept.groups)
      counted.offsets.set(kept.offsets)
      if (kept.isNewSnapshot) counted.snapshotsTotal.add(1)
      if (kept.isNewPoint) counted.pointsTotal.add(1)
      for (const group of kept.denied.filter(one => !told.has(one))) {
        told.add(group)
        log.warn({ group }, 'a group is not backed up: this user may not describe it')
      }
    } catch (error) {
      if (options.once || !isMaxbrodError(error, ...PASSING)) throw error
      counted.failuresTotal.add(1)
      log.error({ err: error }, 'the groups could not be backed up; the next look tries again')
    }
    if (options.once) return kept
    await clock.sleep(Math.max(0, options.interval - (clock.monotonic() - startedAtMs)), stop.draining)
  }
  return kept
}
