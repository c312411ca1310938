import type { GroupSession, Ownership } from '../kafka/port/membership.ts'
import type { Clock } from '../runtime/clock.ts'
import type { StallWatch } from './stall-watch.ts'

export interface WriteProofDeps {
  readonly clock: Clock
  readonly stalls: StallWatch
  readonly session: Pick<GroupSession, 'provenAtMs'>
  readonly ownership: Ownership
}

/** A moment at which something was asked, and how often the process had stalled then. */
export interface Moment {
  readonly atMs: number
  readonly stalls: number
}

/** How long a proof that this executor may write holds. */
const FRESH_MS = 5_000
const LOOK_EVERY_MS = 50

/** May this executor write to a target? Rule 3 of the append: old knowledge allows no write. */
export class WriteProof {
  readonly #with: WriteProofDeps
  /** The last moment at which the log was known. */
  #last: Moment = { atMs: -Infinity, stalls: -1 }

  constructor(deps: WriteProofDeps) {
    this.#with = deps
  }

  /** Now: to be taken before something is asked whose answer says where the log ends. */
  now(): Moment {
    const { clock, stalls } = this.#with
    return { atMs: clock.monotonic(), stalls: stalls.count() }
  }

  /** The answer came to what was asked at that moment. */
  take(moment: Moment): void {
    this.#last = moment
  }

  get isFresh(): boolean {
    const { clock, stalls, session, ownership } = this.#with
    if (ownership.ended.aborted || stalls.count() !== this.#last.stalls) return false
    return clock.monotonic() - Math.max(this.#last.atMs, session.provenAtMs) <= FRESH_MS
  }

  /** After a pause, only a heartbeat sent later than now proves that this executor is still in charge. */
  async heartbeat(): Promise<void> {
    const { clock, session, ownership } = this.#with
    const now = clock.monotonic()
    while (session.provenAtMs < now && !ownership.ended.aborted) await clock.sleep(LOOK_EVERY_MS, ownership.ended)
  }
}
