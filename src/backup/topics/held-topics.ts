import { isHeld } from '../../format/hold.ts'
import type { ConfigEntry, TopicDescription } from '../../kafka/port/admin.ts'
import type { Kafka } from '../../kafka/port.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Clock } from '../../runtime/clock.ts'
import { MaxbrodError, isMaxbrodError } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import { within } from '../../runtime/within.ts'

export interface HeldTopicsDeps {
  readonly kafka: Kafka
  readonly clock: Clock
  readonly log: Logger
}

/** Nobody waits longer for configs when something is known of the topics: that holds on then. */
const PATIENCE_MS = 5_000
const ASKING = 4
/** So often it is asked before anything is known of any topic: half a restore in a backup is worse than a late one. */
const FIRST_LOOKS = 3
const FIRST_PATIENCE_MS = 20_000
const LOOK_AGAIN_MS = 1_000

/**
 * Knows which topics a restore still fills. Half a restore is nothing to back up: what is in such a topic may still be taken
 * back, and the hold's configs are not its own. It is backed up, from its beginning, when it is finalized.
 */
export class HeldTopics {
  readonly #deps: HeldTopicsDeps
  readonly #limit = newLimit(ASKING)
  #held = new Set<string>()
  #isKnown = false
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

  isHeld(topic: string): boolean {
    return this.#held.has(topic)
  }

  /**
   * The topics that are not held. Where the cluster does not tell, what was known of a topic holds on. Throws KAFKA_GAVE_UP, at
   * the first looks only, when nothing was known before.
   */
  async without(topics: readonly TopicDescription[]): Promise<readonly TopicDescription[]> {
    for (let looks = 1; !(await this.#look(topics, looks > 1)) && !this.#isKnown; looks++) {
      if (looks === FIRST_LOOKS)
        throw new MaxbrodError('KAFKA_GAVE_UP', 'the cluster does not tell which topics a restore still fills', {
          hint: 'it does not answer to DescribeConfigs of the topics',
        })
      await this.#deps.clock.sleep(LOOK_AGAIN_MS)
    }
    for (const topic of this.#held) this.#tell(topic)
    return topics.filter(({ name }) => !this.#held.has(name))
  }

  /** True when the cluster told. A topic that was deleted since it was listed makes it tell nothing of the others. */
  async #look(topics: readonly TopicDescription[], isAgain: boolean): Promise<boolean> {
    const visible = topics.filter(({ name, error }) => error === undefined && !this.#hidden.has(name))
    const names = visible.map(({ name }) => name)
    const asked = (isAgain ? this.#existing(names) : Promise.resolve(names))
      .then(some => this.#ask(some))
      .catch(() => undefined)
    const configs = await within(this.#deps.clock, this.#isKnown ? PATIENCE_MS : FIRST_PATIENCE_MS, asked)
    if (configs === undefined) return false
    this.#held = new Set([...configs].flatMap(([name, of]) => (isHeld(of) ? [name] : [])))
    this.#isKnown ||= names.length > 0
    return true
  }

  async #existing(names: readonly string[]): Promise<string[]> {
    const found = await this.#deps.kafka.admin.topics(names)
    return found.filter(({ error }) => error === undefined).map(({ name }) => name)
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
