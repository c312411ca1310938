import type { GroupSession, OwnedOffset } from '../kafka/port.ts'

/** Joins commits of many partitions into few requests: while one is under way, the next ones gather. */
export class Committer {
  readonly #session: Promise<GroupSession>
  #waiting: {
    offset: OwnedOffset
    resolve: (outcome: 'committed' | 'fenced') => void
    reject: (error: unknown) => void
  }[] = []
  #isBusy = false

  constructor(session: Promise<GroupSession>) {
    this.#session = session
  }

  /** Commits one offset; see GroupSession.commit. */
  commit(offset: OwnedOffset): Promise<'committed' | 'fenced'> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ offset, resolve, reject })
      if (!this.#isBusy) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#isBusy = true
    await Promise.resolve() // what is asked in the same turn goes along
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        const session = await this.#session
        const outcomes = await session.commit(group.map(({ offset }) => offset))
        for (const { offset, resolve } of group) resolve(outcomes.get(offset.ownership) ?? 'fenced')
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#isBusy = false
  }
}
