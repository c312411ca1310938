import type { KafkaErrorName } from '../kafka-errors.ts'
import type { GroupListener, Ownership } from '../port/membership.ts'
import { keepsMemberId } from './group-errors.ts'
import { Ownerships } from './ownerships.ts'

/** Who a member is in its group: its id, its generation, what it owns, and when the group counted it in for the last time. */
export class Membership {
  readonly ownerships = new Ownerships()
  readonly #listener: Pick<GroupListener, 'lost'>
  readonly #onEvent: (event: string, facts: Record<string, unknown>) => void
  #memberId = ''
  #generation = -1
  #provenAtMs = -Infinity
  #isJoining = false
  #settled = Promise.withResolvers<void>()

  constructor(listener: Pick<GroupListener, 'lost'>, onEvent: (event: string, facts: Record<string, unknown>) => void) {
    this.#listener = listener
    this.#onEvent = onEvent
  }

  /** Empty while the group does not know us. */
  get memberId(): string {
    return this.#memberId
  }

  /** −1 while we are in no generation. */
  get generation(): number {
    return this.#generation
  }

  /** When a request was sent to which the group answered as to a member; −Infinity for never. */
  get provenAtMs(): number {
    return this.#provenAtMs
  }

  get isJoining(): boolean {
    return this.#isJoining
  }

  /** Resolves when the next generation begins, or none will. */
  get settled(): Promise<void> {
    return this.#settled.promise
  }

  get owned(): readonly Ownership[] {
    return this.ownerships.all
  }

  /** A round of join and sync, in which errors of the generation before tell nothing. */
  async joining<T>(round: () => Promise<T>): Promise<T> {
    this.#isJoining = true
    try {
      return await round()
    } finally {
      this.#isJoining = false
      this.#settled.resolve()
      this.#settled = Promise.withResolvers()
    }
  }

  named(memberId: string): void {
    this.#memberId = memberId
  }

  entered(generation: number, provenAtMs: number): void {
    this.#generation = generation
    this.prove(provenAtMs)
  }

  prove(atMs: number): void {
    this.#provenAtMs = Math.max(this.#provenAtMs, atMs)
  }

  /** The group went on without us: what we owned may be somebody else's already. */
  forget(error: KafkaErrorName): void {
    if (!keepsMemberId(error)) this.#memberId = ''
    this.lose('the group went on without this member')
  }

  lose(why: string): void {
    this.#generation = -1
    const lost = this.owned
    this.ownerships.end(lost, why)
    if (lost.length === 0) return
    this.#onEvent('lost partitions', { partitions: lost.length, reason: why })
    this.#listener.lost(lost)
  }

  /** No generation will begin any more. */
  end(): void {
    this.#settled.resolve()
  }
}
