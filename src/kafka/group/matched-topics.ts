import type { Clock } from '../../runtime/clock.ts'
import type { OtherSelection } from '../port/membership.ts'
import { Agreement } from './agreement.ts'
import type { Assignment } from './member-data.ts'
import { nothingSelected } from './selected-partitions.ts'
import type { SelectedPartitions } from './selected-partitions.ts'

export interface MatchedTopicsDeps {
  /** What the selection matches now; asks the cluster. */
  readonly select: (signal: AbortSignal) => Promise<SelectedPartitions>
  readonly clock: Clock
  readonly refreshMs: number
  readonly onEvent: (event: string, facts: Record<string, unknown>) => void
}

/** What the leader says of what it shares out. */
export interface SharedOut extends Pick<Assignment, 'selectionHash' | 'unshared'> {
  readonly leaderId: string
}

/** What the selection matches, as this member sees it, and whether the group has heard of that. */
export class MatchedTopics {
  readonly agreement = new Agreement()
  readonly #deps: MatchedTopicsDeps
  #now: SelectedPartitions = nothingSelected
  /** What the group shares out, as far as we know. */
  #sharedHash = ''
  #other: OtherSelection | undefined

  constructor(deps: MatchedTopicsDeps) {
    this.#deps = deps
  }

  get now(): SelectedPartitions {
    return this.#now
  }

  /** What the group's leader, asked twice, shares out instead; undefined while it shares out these. */
  get other(): OtherSelection | undefined {
    return this.#other
  }

  /** Looks before a join, which tells the group. */
  async look(signal: AbortSignal): Promise<SelectedPartitions> {
    this.#now = await this.#deps.select(signal)
    this.#sharedHash = this.#now.hash
    return this.#now
  }

  /** False when another rebalance may bring the leader to match the same topics as we do. */
  async isAgreedWith(
    { selectionHash: leaderHash, leaderId, unshared }: SharedOut,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (leaderHash !== this.#now.hash) this.#now = await this.#deps.select(signal)
    const isSame = leaderHash === this.#now.hash
    if (isSame) this.#sharedHash = leaderHash
    const agreed = this.agreement.compare(isSame)
    if (agreed === 'agreed') this.#other = undefined
    if (agreed === 'other topics') {
      const sinceMs = this.#other?.sinceMs ?? this.#deps.clock.monotonic()
      this.#other = { sinceMs, leader: leaderId, topics: unshared.topics, count: unshared.count }
      this.#deps.onEvent(
        'the leader of the group matches other topics than this member: do all have the same configuration?',
        { matched: this.#now.topics.length },
      )
    }
    return agreed !== 'rebalance'
  }

  /** Looks again and again, and tells each time that the group does not share out what is matched now. */
  async watch(onChange: () => void, stop: AbortSignal): Promise<void> {
    const { clock, select, refreshMs } = this.#deps
    while (!stop.aborted) {
      await clock.sleep(refreshMs, stop)
      const fresh = await select(stop).catch(() => undefined) // no answer now: the next refresh asks again
      if (stop.aborted || fresh === undefined || fresh.hash === this.#sharedHash) continue
      this.agreement.askForRebalance()
      onChange()
    }
  }
}
