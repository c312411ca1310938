import { findGroups } from '../catalog/group-snapshots.ts'
import { listSnapshots } from '../catalog/snapshots.ts'
import type { SoundSnapshots } from '../catalog/sound-snapshots.ts'
import { groupsPrefix } from '../format/system-keys.ts'
import type { GroupOffsets } from '../format/snapshot/group-offsets.ts'
import type { ObjectStore } from '../storage/port.ts'

/** The newest group snapshot in the store, whoever wrote it. */
export class NewestGroups {
  readonly #store: ObjectStore
  readonly #sound: SoundSnapshots
  #isRead = false
  #lastMs: number | undefined
  #key: string | undefined
  #groups: readonly GroupOffsets[] = []

  constructor(store: ObjectStore, sound: SoundSnapshots) {
    this.#store = store
    this.#sound = sound
  }

  /** Undefined while there is none that can be read. */
  get key(): string | undefined {
    return this.#key
  }

  get groups(): readonly GroupOffsets[] {
    return this.#groups
  }

  /** The moment of the last key, of a damaged snapshot, too: a newer one must come behind it. */
  get lastMs(): number | undefined {
    return this.#lastMs
  }

  /** Looks for snapshots that others have written meanwhile, up to a moment. */
  async refresh(latestMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRead) return this.#readFirst(latestMs, signal)
    const listed = await listSnapshots(this.#store, groupsPrefix, this.#lastMs ?? 0, signal)
    const newer = listed.filter(({ atMs }) => atMs <= latestMs)
    for (const { key } of newer.toReversed()) {
      const found = await this.#sound.groups(key, signal)
      if (found === undefined) continue
      this.#key = key
      this.#groups = found.groups
      break
    }
    this.#lastMs = newer.at(-1)?.atMs ?? this.#lastMs
  }

  /** It was written by us. */
  wrote(key: string, atMs: number, groups: readonly GroupOffsets[]): void {
    this.#key = key
    this.#lastMs = atMs
    this.#groups = groups
  }

  async #readFirst(latestMs: number, signal: AbortSignal): Promise<void> {
    const last = await findGroups(this.#store, latestMs, signal)
    for await (const { key, groups } of this.#sound.groupsNotAfter(latestMs, signal)) {
      this.#key = key
      this.#groups = groups
      break
    }
    this.#lastMs = last?.atMs
    this.#isRead = true
  }
}
