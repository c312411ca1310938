import { groupsPrefix, pointsPrefix } from '../format/keys.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { readGroups } from './group-snapshots.ts'
import type { GroupSnapshot } from './group-snapshots.ts'
import { readPoint } from './restoration-points.ts'
import type { RestorationPoint } from './restoration-points.ts'
import { snapshotsNotAfter } from './snapshots.ts'
import type { SnapshotKey } from './snapshots.ts'

/**
 * Group snapshots and restoration points, where damaged ones are passed over: an older one is worth more than none. Each of them
 * is told of once, and not read again: it is never replaced.
 */
export class SoundSnapshots {
  readonly #store: ObjectStore
  readonly #tell: (key: string, error: MaxbrodError) => void
  readonly #damaged = new Map<string, MaxbrodError>()

  constructor(store: ObjectStore, tell: (key: string, error: MaxbrodError) => void) {
    this.#store = store
    this.#tell = tell
  }

  /** What was wrong with the first of them that was met; undefined while there was none. */
  get firstError(): MaxbrodError | undefined {
    for (const error of this.#damaged.values()) return error
    return undefined
  }

  /** The group snapshots not after a moment that can be read, the newest first. */
  async *groupsNotAfter(atMs: number, signal?: AbortSignal): AsyncGenerator<GroupSnapshot & SnapshotKey> {
    for await (const found of snapshotsNotAfter(this.#store, groupsPrefix, atMs, signal)) {
      const snapshot = await this.groups(found.key, signal)
      if (snapshot !== undefined) yield { ...snapshot, ...found }
    }
  }

  /** The restoration points not after a moment that can be read, the newest first. */
  async *pointsNotAfter(atMs: number, signal?: AbortSignal): AsyncGenerator<RestorationPoint> {
    for await (const found of snapshotsNotAfter(this.#store, pointsPrefix, atMs, signal)) {
      const point = await this.#unlessDamaged(found.key, () => readPoint(this.#store, found, signal))
      if (point !== undefined) yield point
    }
  }

  /** One group snapshot; undefined when it cannot be read. */
  groups(key: string, signal?: AbortSignal): Promise<GroupSnapshot | undefined> {
    return this.#unlessDamaged(key, () => readGroups(this.#store, key, signal))
  }

  async #unlessDamaged<T>(key: string, read: () => Promise<T>): Promise<T | undefined> {
    if (this.#damaged.has(key)) return undefined
    try {
      return await read()
    } catch (error) {
      // A lifecycle rule may have taken it since it was listed.
      if (!isMaxbrodError(error, 'OBJECT_CORRUPT', 'OBJECT_MISSING')) throw error
      this.#damaged.set(key, error)
      this.#tell(key, error)
      return undefined
    }
  }
}
