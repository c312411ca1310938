import { isHeld } from '../format/hold.ts'
import type { ConfigEntry, Kafka, TopicDescription } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import { within } from '../runtime/within.ts'

export interface HeldTopicsDeps {
  readonly kafka: Kafka
  readonly clock: Clock
  readonly log: Logger
}

/** Nobody waits longer for configs: what was known of the topics holds on then. */
const PATIENCE_MS = 5_000
const ASKING = 4

/**
 * Knows which topics a restore still fills. Half a restore is nothing to back up: what is in such a topic may still be taken
 * back, and the hold's configs are not its own. It is backed up, from its beginning, when it is finalized.
 */
export class HeldTopics {
  readonly #deps: HeldTopicsDeps
  readonly #limit = newLimit(ASKING)
  #held = new Set<string>()
  readonly #told = new Set<string>()
  /** Topics whose configs this user may not see: they count as not held. */
  readonly #hidden = new Set<string>()

  constructor(deps: HeldTopicsDeps) {
    this.#deps = deps
  }

  /** Those that are held, as far as known. */
  get names(): string[] {
    return [...this.#held].toSorted()
  }

  /** The topics that are not held. Never throws: where the cluster does not tell, what was known of a topic holds on. */
  async without(topics: readonly TopicDescription[]): Promise<readonly TopicDescription[]> {
    const visible = topics.filter(({ name, error }) => error === undefined && !this.#hidden.has(name))
    const asked = this.#ask(visible.map(({ name }) => name)).catch(() => undefined)
    const configs = await within(this.#deps.clock, PATIENCE_MS, asked)
    if (configs !== undefined) this.#held = new Set([...configs].flatMap(([name, of]) => (isHeld(of) ? [name] : [])))
    for (const topic of this.#held) this.#tell(topic)
    return topics.filter(({ name }) => !this.#held.has(name))
  }

  async #ask(names: readonly string[]): Promise<ReadonlyMap<string, readonly ConfigEntry[]>> {
    if (names.length === 0) return new Map()
    try {
      return await this.#deps.kafka.admin.topicConfigs(names)
    } catch (error) {
      if (!isMaxbrodError(error, 'KAFKA_AUTH')) throw error
      const [only] = names
      if (names.length === 1 && only !== undefined) {
        this.#hidden.add(only)
        return new Map()
      }
      const each = await Promise.all(names.map(name => this.#limit(() => this.#ask([name]))))
      return new Map(each.flatMap(one => [...one]))
    }
  }

  #tell(topic: string): void {
    if (this.#told.has(topic)) return
    this.#told.add(topic)
    this.#deps.log.warn({ topic }, 'a restore still fills this topic: it is not backed up until maxbrod finalize')
  }
}
