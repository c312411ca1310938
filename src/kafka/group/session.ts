import type { Vitals } from '../../observe/vitals.ts'
import { Aborted } from '../../runtime/aborted.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { PartitionMap, TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { GroupOptions, GroupSession, OtherSelection, OwnedOffset, Ownership } from '../port/membership.ts'
import { commitOwned } from './commit.ts'
import type { Coordinator } from './coordinator.ts'
import { doubtOf } from './group-errors.ts'
import type { Doubt } from './group-errors.ts'
import { sendHeartbeats } from './heartbeats.ts'
import { sayGoodbye } from './leave.ts'
import { MatchedTopics } from './matched-topics.ts'
import { Membership } from './membership.ts'
import { recover } from './recovery.ts'
import { joinAndSync } from './round.ts'
import type { SelectedPartitions } from './selected-partitions.ts'

/**
 * Our own member of a consumer group: cooperative (what is kept never stops), sticky, with revocations that are awaited,
 * heartbeats that no work can hold up, and commits fenced by the generation. kafkajs' Consumer has none of these.
 *
 *   join ──▶ sync ──▶ give up what moves ──▶ (gave something up? join again) ──▶ stay, with heartbeats
 *    ▲                                                                             │
 *    └── the group rebalances · topics changed · we were forgotten ◀───────────────┘
 */

export interface SessionDeps {
  readonly coordinator: Coordinator
  /** What the selection matches now; asks the cluster. */
  readonly select: (signal: AbortSignal) => Promise<SelectedPartitions>
  readonly clock: Clock
  readonly random: () => number
  readonly vitals: Pick<Vitals, 'during'>
  /** How long the first assignment may take to come. */
  readonly joinDeadlineMs: number
  readonly onEvent: (event: string, facts: Record<string, unknown>) => void
}

/** Why a member stops staying and joins again. */
type Wake = Doubt | 'selection changed' | 'closed'

export class MemberSession implements GroupSession {
  readonly ended: Promise<void>
  readonly #deps: SessionDeps
  readonly #options: GroupOptions
  readonly #closing = new AbortController()
  readonly #member: Membership
  readonly #matched: MatchedTopics
  /** Resolves with the first reason to join again since the last round began. */
  #wake = Promise.withResolvers<Wake>()
  readonly #firstAssignment = Promise.withResolvers<void>()

  constructor(options: GroupOptions, deps: SessionDeps) {
    this.#options = options
    this.#deps = deps
    this.#member = new Membership(options.listener, deps.onEvent)
    this.#matched = new MatchedTopics({ ...deps, refreshMs: options.metadataRefreshMs })
    this.#firstAssignment.promise.catch(() => undefined) // whoever waits for it hears of it
    this.ended = this.#run()
    this.ended.catch(() => undefined)
  }

  /** Resolves with the first assignment, rejects when there will be none. */
  get ready(): Promise<void> {
    return this.#firstAssignment.promise
  }

  get owned(): readonly Ownership[] {
    return this.#member.owned
  }

  get selected(): readonly TopicPartition[] {
    return this.#matched.now.partitions
  }

  get otherSelection(): OtherSelection | undefined {
    return this.#matched.other
  }

  get provenAtMs(): number {
    return this.#member.provenAtMs
  }

  commit(offsets: readonly OwnedOffset[]): Promise<PartitionMap<'committed' | 'fenced'>> {
    const member = this.#member
    const { coordinator, vitals, clock, random } = this.#deps
    return commitOwned(offsets, {
      send: open =>
        vitals.during(`committing to group ${this.#options.groupId}`, () =>
          coordinator.commit({ memberId: member.memberId, generation: member.generation }, open),
        ),
      generation: () => member.generation,
      settled: () => member.settled,
      doubt: (generation, error) => this.#doubt(generation, error),
      closing: this.#closing.signal,
      clock,
      random,
    })
  }

  async leave(): Promise<void> {
    const { coordinator, clock, onEvent } = this.#deps
    await this.#end()
    const reason = await sayGoodbye(coordinator, this.#member.memberId, clock)
    if (reason !== undefined) onEvent('could not leave the group, the session time-out will do', { reason })
    coordinator.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
    this.#deps.coordinator.close()
  }

  async #end(): Promise<void> {
    this.#closing.abort(new Aborted('the member was closed'))
    this.#wake.resolve('closed')
    this.#member.ownerships.end(this.owned, 'the member was closed')
    this.#deps.coordinator.abort()
    await this.ended.catch(() => undefined)
  }

  async #run(): Promise<void> {
    const { coordinator, clock, random, vitals, joinDeadlineMs, onEvent } = this.#deps
    const closing = this.#closing.signal
    const member = this.#member
    const { groupId, sessionTimeoutMs } = this.#options
    const doubt = (generation: number, error: KafkaErrorName) => this.#doubt(generation, error)
    const beats = sendHeartbeats(
      { coordinator, member, clock, vitals, groupId, sessionTimeoutMs, doubt, onEvent },
      closing,
    )
    const startedAtMs = clock.monotonic()
    const recovery = { member, options: this.#options, clock, random, startedAtMs, joinDeadlineMs, onEvent }
    try {
      for (let failures = 0; !closing.aborted;) {
        try {
          const mustRejoin = await vitals.during(`joining group ${groupId}`, () => this.#joinOnce())
          failures = 0
          if (!mustRejoin) await this.#stay()
        } catch (error) {
          if (closing.aborted) break
          await recover(error, failures++, recovery, closing)
        }
      }
      this.#firstAssignment.reject(new Aborted('the member was closed'))
    } catch (error) {
      this.#firstAssignment.reject(error)
      member.lose('the member cannot go on')
      throw error
    } finally {
      this.#closing.abort(new Aborted('the member was closed'))
      member.end()
      await beats
    }
  }

  /** One round; true when another must follow at once. */
  async #joinOnce(): Promise<boolean> {
    const { listener, instanceId } = this.#options
    const { coordinator, clock, onEvent } = this.#deps
    const member = this.#member
    const { agreement } = this.#matched
    const closing = this.#closing.signal
    this.#wake = Promise.withResolvers()
    if (member.memberId === '') agreement.joinsAnew()
    const selection = await this.#matched.look(closing)
    const deps = { coordinator, member, clock }
    const { generation, isLeader, leaderId, assignment } = await joinAndSync(deps, selection, agreement.nonce)
    onEvent('joined the group', { generation, partitions: assignment.partitions.length, leads: isLeader })

    const revoked = member.ownerships.missingFrom(assignment.partitions)
    if (revoked.length > 0) {
      onEvent('giving partitions up', { partitions: revoked.length })
      await listener.revoked(revoked)
      member.ownerships.end(revoked, 'the partition moves to another member')
      // Meanwhile the group may have gone on without us: then this assignment is void.
      if (member.generation !== generation || closing.aborted) return true
    }
    const added = member.ownerships.add(assignment.partitions)
    if (added.length > 0) listener.assigned(added)
    this.#firstAssignment.resolve()
    if (revoked.length > 0) return true
    if (agreement.mayLeadUntold({ isStatic: instanceId !== undefined, isLeader })) return true
    return !(await this.#matched.isAgreedWith({ ...assignment, leaderId }, closing))
  }

  /** Stays in the generation until there is a reason to join again. */
  async #stay(): Promise<void> {
    const stop = new AbortController()
    void this.#matched.watch(() => this.#wake.resolve('selection changed'), stop.signal)
    const why = await this.#wake.promise
    stop.abort()
    if (why === 'fenced') throw new KafkaError('FENCED_INSTANCE_ID', 'Heartbeat')
  }

  /** Hears what a broker has against a generation of ours. */
  #doubt(generation: number, error: KafkaErrorName): void {
    const member = this.#member
    if (member.isJoining || generation !== member.generation) return
    const doubt = doubtOf(error)
    if (doubt === undefined) return
    if (doubt === 'fenced') member.lose('another process took our name')
    if (doubt === 'forgotten') member.forget(error)
    this.#wake.resolve(doubt)
  }
}
