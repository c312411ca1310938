import { groupsPrefix, pointsPrefix } from '../format/system-keys.ts'
import type { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { DamagedObjects } from './damaged-objects.ts'
import type { TellDamaged } from './damaged-objects.ts'
import { readGroups } from './group-snapshots.ts'
import type { GroupSnapshot } from './group-snapshots.ts'
import { readPoint } from './restoration-points.ts'
import type { RestorationPoint } from './restoration-points.ts'
import { snapshotsNotAfter } from './snapshots.ts'
import type { SnapshotKey } from './snapshots.ts'

/** Group snapshots and restoration points, where damaged ones are passed over: an older one is worth more than none. */
export class SoundSnapshots {
  readonly #store: ObjectStore
  readonly #damaged: DamagedObjects

  constructor(store: ObjectStore, tell: TellDamaged) {
    this.#store = store
    this.#damaged = new DamagedObjects(tell)
  }

  /** What was wrong with the first of them that was met; undefined while there was none. */
  get firstError(): MaxbrodError | undefined {
    return this.#damaged.firstError
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
      const point = await this.#damaged.unless(found.key, () => readPoint(this.#store, found, signal))
      if (point !== undefined) yield point
    }
  }

  /** One group snapshot; undefined when it cannot be read. */
  groups(key: string, signal?: AbortSignal): Promise<GroupSnapshot | undefined> {
    return this.#damaged.unless(key, () => readGroups(this.#store, key, signal))
  }
}
