import type { GroupSession, OwnedOffset } from '../../kafka/port/membership.ts'
import type { Clock } from '../../runtime/clock.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import { within } from '../../runtime/within.ts'

type Outcome = 'committed' | 'fenced'

interface Waiting {
  readonly offset: OwnedOffset
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/** How long a request may take before the next one is sent beside it: the topic of one partition may be gone. */
const PATIENCE_MS = 1_000
/** Commits in one request: the coordinator writes them as one batch, which must not be larger than its topic allows (1 MiB). */
const COMMITS_MAX = 500

/**
 * Joins commits of many partitions into few requests: while one is under way, the next ones gather. The commits of one
 * partition keep their order. What ails one partition does not touch the others.
 */
export class Committer {
  readonly #session: Promise<GroupSession>
  readonly #clock: Clock
  #waiting: Waiting[] = []
  /** Partitions with a commit under way. */
  readonly #busy = new PartitionMap<true>()
  #isSending = false

  constructor(session: Promise<GroupSession>, clock: Clock) {
    this.#session = session
    this.#clock = clock
  }

  /** Commits one offset; see GroupSession.commit. */
  commit(offset: OwnedOffset): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ offset, resolve, reject })
      if (!this.#isSending) void this.#send()
    })
  }

  async #send(): Promise<void> {
    this.#isSending = true
    await Promise.resolve() // what is asked in the same turn goes along
    for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup()) {
      await within(this.#clock, PATIENCE_MS, this.#commit(group))
    }
    this.#isSending = false
  }

  /** At most one commit of each partition, none of which is under way, and no more than a request may have. */
  #nextGroup(): Waiting[] {
    const group: Waiting[] = []
    const rest: Waiting[] = []
    for (const one of this.#waiting) {
      if (group.length >= COMMITS_MAX || this.#busy.has(one.offset.ownership)) rest.push(one)
      else {
        this.#busy.set(one.offset.ownership, true)
        group.push(one)
      }
    }
    this.#waiting = rest
    return group
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    await this.#tryCommit(group)
    for (const { offset } of group) this.#busy.delete(offset.ownership)
    if (!this.#isSending) void this.#send()
  }

  async #tryCommit(group: readonly Waiting[]): Promise<void> {
    try {
      const session = await this.#session
      const outcomes = await session.commit(group.map(({ offset }) => offset))
      for (const { offset, resolve } of group) resolve(outcomes.get(offset.ownership) ?? 'fenced')
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error)
      // One of them cannot be committed. Committing the others once more changes nothing.
      else await Promise.all(group.map(one => this.#tryCommit([one])))
    }
  }
}
