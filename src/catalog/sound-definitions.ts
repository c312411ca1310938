import { topicsPrefix } from '../format/system-keys.ts'
import type { TopicDefinition } from '../format/snapshot/topic-definitions.ts'
import type { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { DamagedObjects } from './damaged-objects.ts'
import type { TellDamaged } from './damaged-objects.ts'
import { listSnapshots } from './snapshots.ts'
import { readDefinitions } from './topic-definitions.ts'
import type { Definitions } from './topic-definitions.ts'

/** The definitions of topics, where damaged objects are passed over: what another object says of a topic is worth more than nothing. */
export class SoundDefinitions {
  readonly #store: ObjectStore
  readonly #damaged: DamagedObjects

  constructor(store: ObjectStore, tell: TellDamaged) {
    this.#store = store
    this.#damaged = new DamagedObjects(tell)
  }

  /** What was wrong with the first damaged object that was met; undefined while there was none. */
  get firstError(): MaxbrodError | undefined {
    return this.#damaged.firstError
  }

  /** The newest ones; undefined when none can be read. */
  newest(signal?: AbortSignal): Promise<Definitions | undefined> {
    return this.at(undefined, signal)
  }

  /** Those that counted at a moment, now if none is given; the first ones when that was before them. */
  async at(atMs: number | undefined, signal?: AbortSignal): Promise<Definitions | undefined> {
    for await (const found of this.#around(atMs, signal)) return found
    return undefined
  }

  /**
   * The definition that each topic had last up to a moment, or had first after it, among those that `fits` takes. A topic that
   * was deleted, or that another worker backs up, is missing in newer objects.
   */
  async find(
    topics: readonly string[],
    fits: (definition: TopicDefinition) => boolean,
    atMs: number | undefined,
    signal?: AbortSignal,
  ): Promise<Map<string, TopicDefinition>> {
    const found = new Map<string, TopicDefinition>()
    const missing = new Set(topics)
    if (missing.size === 0) return found
    for await (const definitions of this.#around(atMs, signal)) {
      for (const definition of definitions.topics)
        if (fits(definition) && missing.delete(definition.topic)) found.set(definition.topic, definition)
      if (missing.size === 0) break
    }
    return found
  }

  /** First those not after a moment, the newest first, then those after it, the oldest first. */
  async *#around(atMs = Infinity, signal?: AbortSignal): AsyncGenerator<Definitions> {
    const all = await listSnapshots(this.#store, topicsPrefix, 0, signal)
    const before = all.filter(one => one.atMs <= atMs).toReversed()
    for (const { key } of [...before, ...all.filter(one => one.atMs > atMs)]) {
      const topics = await this.#damaged.unless(key, () => readDefinitions(this.#store, key, signal))
      if (topics !== undefined) yield { key, topics }
    }
  }
}

/** A reader that stops at the first damaged object: for those who would decide otherwise if they knew what it says. */
export function strictDefinitions(store: ObjectStore): SoundDefinitions {
  return new SoundDefinitions(store, (_, error) => {
    throw error
  })
}
