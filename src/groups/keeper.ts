import { findGroups, readGroups, writeGroups } from '../catalog/group-snapshots.ts'
import { pointsNotAfter, writePoint } from '../catalog/restoration-points.ts'
import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { GroupsBackupOptions } from './backup-options.ts'
import { look } from './look.ts'

export interface KeeperDeps {
  readonly kafka: Kafka
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Logger
}

/** What the store says after a look. */
export interface Kept {
  /** Undefined while there has never been a group. */
  readonly groupsKey: string | undefined
  readonly pointKey: string
  readonly isNewSnapshot: boolean
  readonly isNewPoint: boolean
  readonly groups: number
  readonly offsets: number
  readonly partitions: number
  readonly denied: readonly string[]
}

/** Newest keys are looked for so far ahead: another writer's clock may be. */
const AHEAD_MS = 24 * 3_600_000

/** The newest objects in the store, and what they say. */
interface Stored {
  readonly groups:
    | { readonly key: string; readonly atMs: number; readonly known: Map<string, GroupOffsets> }
    | undefined
  readonly groupsText: string
  readonly point: { readonly key: string; readonly atMs: number; readonly text: string } | undefined
}

/** Keeps group snapshots and restoration points in the store: one new object each whenever something changed. */
export class GroupKeeper {
  readonly #deps: KeeperDeps
  readonly #options: Pick<GroupsBackupOptions, 'groups' | 'excludeGroups'>
  #stored: Stored | undefined

  constructor(deps: KeeperDeps, options: Pick<GroupsBackupOptions, 'groups' | 'excludeGroups'>) {
    this.#deps = deps
    this.#options = options
  }

  /**
   * Looks, and writes what changed. Throws GROUPS_VANISHED when there is not a single group and there were some before: then
   * nothing is written.
   */
  async keep(signal: AbortSignal): Promise<Kept> {
    const { kafka, store, clock, log } = this.#deps
    const { groups: wanted, excludeGroups } = this.#options
    const stored = this.#stored ?? (await this.#readStored(signal))
    const select = (group: string) =>
      wanted.some(regex => regex.test(group)) && !excludeGroups.some(regex => regex.test(group))
    const before = stored.groups?.known ?? new Map<string, GroupOffsets>()
    const found = await look(kafka, select, before, () => clock.now())
    const expected = [...before.keys()].filter(select).length
    if (found.groups.length === 0 && expected > 0) throw vanished(expected, store.url)

    let { groups, groupsText, point } = stored
    const text = JSON.stringify(found.groups)
    const isNewSnapshot = found.groups.length > 0 && text !== groupsText
    if (isNewSnapshot) {
      const atMs = after(groups?.atMs, found.groupsAtMs)
      const key = await writeGroups(store, found.groups, atMs, signal)
      groups = { key, atMs, known: byName(found.groups) }
      groupsText = text
      log.info({ key, groups: found.groups.length, offsets: countOffsets(found.groups) }, 'wrote a group snapshot')
    }
    const pointText = textOfPoint(groups?.key, found.partitions, found.internalTopics)
    const isNewPoint = pointText !== point?.text
    if (isNewPoint) {
      const atMs = after(Math.max(point?.atMs ?? 0, (groups?.atMs ?? 0) - 1), found.partitionsAtMs)
      const content = { partitions: found.partitions, groupsKey: groups?.key, atMs }
      point = { key: await writePoint(store, content, signal), atMs, text: pointText }
      log.info({ key: point.key, partitions: found.partitions.length }, 'wrote a restoration point')
    }
    this.#stored = { groups, groupsText, point }
    return {
      groupsKey: groups?.key,
      pointKey: point?.key ?? '',
      isNewSnapshot,
      isNewPoint,
      groups: found.groups.length,
      offsets: countOffsets(found.groups),
      partitions: found.partitions.length,
      denied: found.denied,
    }
  }

  async #readStored(signal: AbortSignal): Promise<Stored> {
    const { store, clock } = this.#deps
    const newest = await findGroups(store, clock.now() + AHEAD_MS, signal)
    const groups = newest === undefined ? undefined : (await readGroups(store, newest.key, signal)).groups
    let point: Stored['point']
    for await (const { key, atMs, groupsKey, partitions } of pointsNotAfter(store, clock.now() + AHEAD_MS, signal)) {
      point = { key, atMs, text: textOfPoint(groupsKey, partitions, new Set()) }
      break
    }
    return {
      groups: newest === undefined ? undefined : { ...newest, known: byName(groups ?? []) },
      groupsText: groups === undefined ? '' : JSON.stringify(groups),
      point,
    }
  }
}

/** Keys go up, whatever the clock does: the newest object is the last one in the listing. */
function after(lastMs: number | undefined, nowMs: number): number {
  return lastMs === undefined ? nowMs : Math.max(nowMs, lastMs + 1)
}

function byName(groups: readonly GroupOffsets[]): Map<string, GroupOffsets> {
  return new Map(groups.map(group => [group.group_id, group]))
}

function countOffsets(groups: readonly GroupOffsets[]): number {
  return groups.reduce((sum, { topics }) => sum + topics.reduce((of, { partitions }) => of + partitions.length, 0), 0)
}

/** What makes a new point worth an object. Internal topics are in it, and do not: each commit of anybody moves them. */
function textOfPoint(
  groupsKey: string | undefined,
  partitions: readonly PointPartition[],
  internalTopics: ReadonlySet<string>,
): string {
  const own = partitions.filter(({ topic }) => !internalTopics.has(topic) && !topic.startsWith('__'))
  return JSON.stringify([
    groupsKey,
    own.map(({ topic, topic_id: id, partition, log_start: start, end }) => [topic, id, partition, start, end]),
  ])
}

function vanished(before: number, url: string): MaxbrodError {
  const message = `the cluster has not a single consumer group, where ${url} knows ${before}: nothing was written`
  return new MaxbrodError('GROUPS_VANISHED', message, {
    hint: 'if all of them were deleted on purpose, back up again with another prefix in --storage',
  })
}
