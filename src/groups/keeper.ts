import { writeGroups } from '../catalog/group-snapshots.ts'
import { writePoint } from '../catalog/restoration-points.ts'
import { snapshotsNotAfter } from '../catalog/snapshots.ts'
import { SoundSnapshots } from '../catalog/sound-snapshots.ts'
import { pointsPrefix } from '../format/system-keys.ts'
import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { PointPartition } from '../format/snapshot/restoration-point.ts'
import type { Kafka } from '../kafka/port.ts'
import type { TopicDescription } from '../kafka/port/admin.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { GroupsBackupOptions } from './backup-options.ts'
import { lookAtGroups, lookAtPartitions } from './look.ts'
import { NewestGroups } from './newest-groups.ts'
import { passOver } from './pass-over.ts'

export interface KeeperDeps {
  readonly kafka: Kafka
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Logger
}

/** What the store says of the groups after a look. */
export interface KeptGroups {
  /** Undefined while there has never been a group. */
  readonly groupsKey: string | undefined
  readonly isNewSnapshot: boolean
  readonly groups: number
  readonly offsets: number
  readonly denied: readonly string[]
}

/** What it says of the partitions. */
export interface KeptPoint {
  readonly pointKey: string
  readonly isNewPoint: boolean
  readonly partitions: number
}

export interface GroupsKept extends KeptGroups {
  /** GROUPS_VANISHED when there is not a single group and there were some before: then no snapshot was written. */
  readonly vanished: MaxbrodError | undefined
  /** What a point of this moment is about. */
  readonly topics: readonly TopicDescription[]
}

/** Newest keys are looked for so far ahead: another writer's clock may be. */
const AHEAD_MS = 24 * 3_600_000

interface StoredPoint {
  /** Undefined while there is none that can be read. */
  readonly key: string | undefined
  readonly atMs: number
  readonly text: string
}

/**
 * Keeps group snapshots and restoration points in the store: one new object each whenever something changed. First the groups,
 * then the point: a partition that does not tell where it ends keeps no group out of the backup.
 */
export class GroupKeeper {
  readonly #deps: KeeperDeps
  readonly #options: Pick<GroupsBackupOptions, 'groups' | 'excludeGroups'>
  readonly #sound: SoundSnapshots
  readonly #newest: NewestGroups
  #point: StoredPoint | undefined

  constructor(deps: KeeperDeps, options: Pick<GroupsBackupOptions, 'groups' | 'excludeGroups'>) {
    this.#deps = deps
    this.#options = options
    this.#sound = new SoundSnapshots(deps.store, passOver(deps.log))
    this.#newest = new NewestGroups(deps.store, this.#sound)
  }

  /** Looks at the groups, and writes a snapshot if something changed. */
  async keepGroups(signal: AbortSignal): Promise<GroupsKept> {
    const { kafka, store, clock, log } = this.#deps
    const { groups: wanted, excludeGroups } = this.#options
    await this.#newest.refresh(clock.now() + AHEAD_MS, signal)
    const select = (group: string) =>
      wanted.some(regex => regex.test(group)) && !excludeGroups.some(regex => regex.test(group))
    const before = this.#newest.groups
    const known = new Map(before.map(group => [group.group_id, group]))
    const { groups, seen, denied, topics, atMs: seenAtMs } = await lookAtGroups(kafka, select, known, () => clock.now())
    const expected = [...known.keys()].filter(group => select(group) && !denied.includes(group)).length
    const vanished = seen === 0 && expected > 0 ? goneError(expected, store.url) : undefined
    const isNewSnapshot =
      vanished === undefined && groups.length > 0 && JSON.stringify(groups) !== JSON.stringify(before)
    if (isNewSnapshot) {
      const atMs = after(this.#newest.lastMs, seenAtMs)
      const key = await writeGroups(store, groups, atMs, signal)
      this.#newest.wrote(key, atMs, groups)
      log.info({ key, groups: groups.length, offsets: countOffsets(groups) }, 'wrote a group snapshot')
    }
    const offsets = countOffsets(groups)
    return { groupsKey: this.#newest.key, isNewSnapshot, groups: groups.length, offsets, denied, vanished, topics }
  }

  /** Looks at the partitions of these topics, and writes a point if something changed. Throws KAFKA_GAVE_UP. */
  async keepPoint(topics: readonly TopicDescription[], signal: AbortSignal): Promise<KeptPoint> {
    const { kafka, store, clock, log } = this.#deps
    const { partitions, internalTopics, atMs: seenAtMs } = await lookAtPartitions(kafka, topics, () => clock.now())
    this.#point ??= await this.#readPoint(signal)
    const { key: groupsKey, lastMs } = this.#newest
    const text = textOfPoint(groupsKey, partitions, internalTopics)
    const { key, atMs: pointMs } = this.#point
    if (key !== undefined && text === this.#point.text)
      return { pointKey: key, isNewPoint: false, partitions: partitions.length }
    const atMs = after(Math.max(pointMs, (lastMs ?? 0) - 1), seenAtMs)
    const pointKey = await writePoint(store, { partitions, groupsKey, atMs }, signal)
    this.#point = { key: pointKey, atMs, text }
    log.info({ key: pointKey, partitions: partitions.length }, 'wrote a restoration point')
    return { pointKey, isNewPoint: true, partitions: partitions.length }
  }

  async #readPoint(signal: AbortSignal): Promise<StoredPoint> {
    const { store, clock } = this.#deps
    const latestMs = clock.now() + AHEAD_MS
    let lastMs = 0
    for await (const { atMs } of snapshotsNotAfter(store, pointsPrefix, latestMs, signal)) {
      lastMs = atMs
      break
    }
    for await (const { key, groupsKey, partitions } of this.#sound.pointsNotAfter(latestMs, signal))
      return { key, atMs: lastMs, text: textOfPoint(groupsKey, partitions, new Set()) }
    return { key: undefined, atMs: lastMs, text: '' }
  }
}

/** Keys go up, whatever the clock does: the newest object is the last one in the listing. */
function after(lastMs: number | undefined, nowMs: number): number {
  return lastMs === undefined ? nowMs : Math.max(nowMs, lastMs + 1)
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

function goneError(before: number, url: string): MaxbrodError {
  const message = `the cluster has not a single consumer group, where ${url} knows ${before}: no snapshot was written`
  return new MaxbrodError('GROUPS_VANISHED', message, {
    hint: 'if all of them were deleted on purpose, back up again with another prefix in --storage',
  })
}
