import type { GroupSession, Ownership } from '../kafka/port/membership.ts'
import type { ExecutorDeps } from './deps.ts'
import type { PlanProgress } from './plan-progress.ts'
import { troubleOf } from './trouble.ts'

export interface PlanCommitsDeps {
  readonly deps: ExecutorDeps
  readonly session: Promise<GroupSession>
  /** What goes along with the commits of a plan partition. */
  readonly noteOf: (partition: number) => string
  /** What is done cannot be committed: the work would never be seen to end. */
  readonly onBroken: (error: unknown) => void
}

const RETRY_MS = 2_000

/** Commits how far a plan partition is done, one commit at a time. */
export class PlanCommits {
  readonly #ownership: Ownership
  readonly #progress: PlanProgress
  readonly #with: PlanCommitsDeps
  #committed = -1
  #committing: Promise<void> | undefined

  constructor(ownership: Ownership, progress: PlanProgress, deps: PlanCommitsDeps) {
    this.#ownership = ownership
    this.#progress = progress
    this.#with = deps
  }

  get underWay(): Promise<void> | undefined {
    return this.#committing
  }

  /** Commits what is done; while one commit is under way, the next one gathers. */
  commit(): void {
    if (
      this.#committing !== undefined ||
      this.#progress.committable === this.#committed ||
      this.#ownership.ended.aborted
    )
      return
    this.#committing = this.#commitOnce().finally(() => {
      this.#committing = undefined
      this.commit()
    })
  }

  /** A commit that failed is tried again, with what is done by then. */
  async #commitOnce(): Promise<void> {
    const { deps } = this.#with
    const session = await this.#with.session
    const offset = this.#progress.committable
    const metadata = this.#with.noteOf(this.#ownership.partition)
    try {
      await session.commit([{ ownership: this.#ownership, offset, leaderEpoch: -1, metadata }])
      this.#committed = offset
    } catch (error) {
      if (troubleOf(error) !== 'try again') this.#with.onBroken(error)
      deps.log.warn({ err: error, partition: this.#ownership.partition }, 'could not commit how far the plan is done')
      await deps.clock.sleep(RETRY_MS, this.#ownership.ended)
    }
  }
}
