import { Aborted } from '../../runtime/aborted.ts'
import type { Clock } from '../../runtime/clock.ts'
import { MaxbrodError, isMaxbrodError, messageOf } from '../../runtime/errors.ts'
import { backoffMs } from '../../runtime/retry.ts'
import { within } from '../../runtime/within.ts'
import type { PartitionMap, TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError, endingOf, isTemporary } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { GroupOptions, GroupSession, OwnedOffset, Ownership } from '../port.ts'
import { assign } from './assignor.ts'
import { commitOwned } from './commit.ts'
import type { Coordinator, JoinedGroup } from './coordinator.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './member-data.ts'
import type { Assignment } from './member-data.ts'
import { Ownerships } from './ownerships.ts'
import { nothingSelected } from './selected-partitions.ts'
import type { SelectedPartitions } from './selected-partitions.ts'

/**
 * Our own member of a consumer group: cooperative (what is kept never stops), sticky, with revocations that are awaited,
 * heartbeats that no work can hold up, and commits fenced by the generation. kafkajs' Consumer has none of these.
 *
 *   join ──▶ sync ──▶ give up what moves ──▶ (gave something up? join again) ──▶ stay, with heartbeats
 *    ▲                                                                             │
 *    └── the group rebalances · topics changed · we were forgotten ◀───────────────┘
 */

const HEARTBEAT_MS_MAX = 3_000
const BACKOFF = { initialMs: 100, maxMs: 2_000 }
/** How long a member goes on trying to reach a group that does not answer, before it ends. */
const GIVE_UP_MS = 10 * 60_000
/** How long leaving may take: whoever stops a process does not wait for ever. */
const LEAVE_MS = 5_000

export interface SessionDeps {
  readonly coordinator: Coordinator
  /** What the selection matches now; asks the cluster. */
  readonly select: (signal: AbortSignal) => Promise<SelectedPartitions>
  readonly clock: Clock
  readonly random: () => number
  /** How long the first assignment may take to come. */
  readonly joinDeadlineMs: number
  readonly onEvent: (event: string, facts: Record<string, unknown>) => void
}

/** Why a member stops staying and joins again. */
type Wake = 'the group rebalances' | 'selection changed' | 'forgotten' | 'fenced' | 'closed'

export class MemberSession implements GroupSession {
  readonly ended: Promise<void>
  readonly #deps: SessionDeps
  readonly #options: GroupOptions
  readonly #closing = new AbortController()
  readonly #ownerships = new Ownerships()
  #memberId = ''
  /** −1 while we are in no generation. */
  #generation = -1
  #selection: SelectedPartitions = nothingSelected
  /** What we told the group when we joined last. */
  #joinedHash = ''
  #nonce = 0
  /** Rebalances in a row that we forced because the leader matched other topics. */
  #disagreements = 0
  #isJoining = false
  /** True for one that joins anew: maybe it leads, and is not told. */
  #isUnsure = true
  readonly #startedAtMs: number
  #provenAtMs = -Infinity
  #wake: (why: Wake) => void = () => undefined
  #pendingWake: Wake | undefined
  #settled = Promise.withResolvers<void>()
  readonly #firstAssignment = Promise.withResolvers<void>()

  constructor(options: GroupOptions, deps: SessionDeps) {
    this.#options = options
    this.#deps = deps
    this.#startedAtMs = deps.clock.monotonic()
    this.#firstAssignment.promise.catch(() => undefined) // whoever waits for it hears of it
    this.ended = this.#run()
    this.ended.catch(() => undefined)
  }

  /** Resolves with the first assignment, rejects when there will be none. */
  get ready(): Promise<void> {
    return this.#firstAssignment.promise
  }

  get owned(): readonly Ownership[] {
    return this.#ownerships.all
  }

  get selected(): readonly TopicPartition[] {
    return this.#selection.partitions
  }

  get provenAtMs(): number {
    return this.#provenAtMs
  }

  commit(offsets: readonly OwnedOffset[]): Promise<PartitionMap<'committed' | 'fenced'>> {
    return commitOwned(offsets, {
      send: open => this.#deps.coordinator.commit({ memberId: this.#memberId, generation: this.#generation }, open),
      generation: () => this.#generation,
      settled: () => this.#settled.promise,
      doubt: (generation, error) => this.#doubt(generation, error),
      closing: this.#closing.signal,
      clock: this.#deps.clock,
      random: this.#deps.random,
    })
  }

  async leave(): Promise<void> {
    const { coordinator, clock, onEvent } = this.#deps
    await this.#end()
    if (this.#memberId !== '') {
      const left = coordinator.leave(this.#memberId).then(
        () => 'left',
        (error: unknown) => messageOf(error),
      )
      const reason = (await within(clock, LEAVE_MS, left)) ?? 'no answer'
      if (reason !== 'left') onEvent('could not leave the group, the session time-out will do', { reason })
    }
    coordinator.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
    this.#deps.coordinator.close()
  }

  async #end(): Promise<void> {
    this.#closing.abort(new Aborted('the member was closed'))
    this.#signal('closed')
    this.#ownerships.end(this.owned, 'the member was closed')
    this.#deps.coordinator.abort()
    await this.ended.catch(() => undefined)
  }

  async #run(): Promise<void> {
    const beats = this.#beat()
    try {
      for (let failures = 0; !this.#isClosing;) {
        try {
          const mustRejoin = await this.#joinOnce()
          failures = 0
          if (!mustRejoin) await this.#stay()
        } catch (error) {
          if (this.#isClosing) break
          await this.#recover(error, failures++)
        }
      }
      this.#firstAssignment.reject(new Aborted('the member was closed'))
    } catch (error) {
      this.#firstAssignment.reject(error)
      this.#lose('the member cannot go on')
      throw error
    } finally {
      this.#closing.abort(new Aborted('the member was closed'))
      this.#settled.resolve()
      await beats
    }
  }

  /** One round of join and sync; true when another must follow at once. */
  async #joinOnce(): Promise<boolean> {
    this.#pendingWake = undefined
    if (this.#memberId === '') this.#isUnsure = true
    this.#selection = await this.#deps.select(this.#closing.signal)
    const { joined, assignment } = await this.#joinAndSync()
    const facts = {
      generation: joined.generation,
      partitions: assignment.partitions.length,
      leads: joined.members.length > 0,
    }
    this.#deps.onEvent('joined the group', facts)

    const revoked = this.#ownerships.missingFrom(assignment.partitions)
    if (revoked.length > 0) {
      this.#deps.onEvent('giving partitions up', { partitions: revoked.length })
      await this.#options.listener.revoked(revoked)
      this.#ownerships.end(revoked, 'the partition moves to another member')
      // Meanwhile the group may have gone on without us: then this assignment is void.
      if (this.#generation !== joined.generation || this.#isClosing) return true
    }
    const added = this.#ownerships.add(assignment.partitions)
    if (added.length > 0) this.#options.listener.assigned(added)
    this.#firstAssignment.resolve()
    return revoked.length > 0 || (await this.#mustForceRebalance(joined, assignment.selectionHash))
  }

  async #joinAndSync(): Promise<{ joined: JoinedGroup; assignment: Assignment }> {
    const { coordinator, clock } = this.#deps
    this.#isJoining = true
    try {
      this.#joinedHash = this.#selection.hash
      const joined = await coordinator.join(this.#memberId, this.#subscription(), named => (this.#memberId = named))
      this.#memberId = joined.memberId
      const sentAtMs = clock.monotonic()
      const assignment = decodeAssignment(await coordinator.sync(joined, this.#lead(joined)))
      this.#generation = joined.generation
      this.#prove(sentAtMs)
      return { joined, assignment }
    } finally {
      this.#isJoining = false
      this.#settled.resolve()
      this.#settled = Promise.withResolvers()
    }
  }

  /**
   * Another rebalance is needed when the leader may not know what we know. A static member that comes back gets its old
   * assignment without a rebalance, and is not told if it leads: nobody would look at new topics for ever (seen). Joining
   * again with a changed nonce makes the coordinator start one; everybody looks at the topics before joining it.
   */
  async #mustForceRebalance({ members }: JoinedGroup, leaderHash: string): Promise<boolean> {
    const isUnsure = this.#isUnsure && this.#options.instanceId !== undefined && members.length === 0
    this.#isUnsure = false
    if (isUnsure) {
      this.#nonce++
      return true
    }
    if (leaderHash !== this.#selection.hash) this.#selection = await this.#deps.select(this.#closing.signal)
    if (leaderHash === this.#selection.hash) {
      this.#joinedHash = leaderHash
      this.#disagreements = 0
      return false
    }
    if (this.#disagreements++ === 0) {
      this.#nonce++
      return true
    }
    this.#deps.onEvent(
      'the leader of the group matches other topics than this member: do all have the same configuration?',
      {
        matched: this.#selection.topics.length,
      },
    )
    return false
  }

  #subscription(): Buffer {
    const { hash, topics } = this.#selection
    return encodeSubscription({
      selectionHash: hash,
      topics,
      owned: this.owned,
      generation: this.#generation,
      nonce: this.#nonce,
    })
  }

  #lead({ members }: JoinedGroup): { memberId: string; memberAssignment: Buffer }[] {
    if (members.length === 0) return []
    const claims = members.map(({ memberId, memberMetadata }) => ({ memberId, ...decodeSubscription(memberMetadata) }))
    const { hash: selectionHash, partitions } = this.#selection
    return [...assign(claims, partitions)].map(([memberId, of]) => ({
      memberId,
      memberAssignment: encodeAssignment({ selectionHash, partitions: of }),
    }))
  }

  /** Stays in the generation until there is a reason to join again. */
  async #stay(): Promise<void> {
    const stop = new AbortController()
    void this.#watchSelection(stop.signal)
    const why = await new Promise<Wake>(resolve => {
      this.#wake = resolve
      if (this.#pendingWake !== undefined) resolve(this.#pendingWake)
    })
    stop.abort()
    if (why === 'fenced') throw new KafkaError('FENCED_INSTANCE_ID', 'Heartbeat')
  }

  async #watchSelection(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#deps.clock.sleep(this.#options.metadataRefreshMs, stop)
      const fresh = await this.#deps.select(stop).catch(() => undefined) // no answer now: the next refresh asks again
      if (stop.aborted || fresh === undefined || fresh.hash === this.#joinedHash) continue
      this.#nonce++
      this.#signal('selection changed')
    }
  }

  /** Sends heartbeats for as long as the session lives, whatever else it is doing. */
  async #beat(): Promise<void> {
    const { clock, coordinator } = this.#deps
    const intervalMs = Math.min(HEARTBEAT_MS_MAX, this.#options.sessionTimeoutMs / 3)
    while (!this.#isClosing) {
      await clock.sleep(intervalMs, this.#closing.signal)
      const generation = this.#generation
      // While a join waits, the coordinator keeps us in; a heartbeat would only queue up behind it.
      if (this.#isClosing || this.#isJoining || generation < 0) continue
      const sentAtMs = clock.monotonic()
      try {
        await coordinator.heartbeat(this.#memberId, generation)
        this.#prove(sentAtMs)
      } catch (error) {
        if (this.#isClosing) return
        if (!(error instanceof KafkaError)) this.#deps.onEvent('a heartbeat failed', { reason: messageOf(error) })
        else {
          // The group counts us in, else it would not ask us to join again.
          if (error.error === 'REBALANCE_IN_PROGRESS') this.#prove(sentAtMs)
          this.#doubt(generation, error.error)
        }
      }
    }
  }

  /** What an error under a generation tells of our membership. Temporary trouble tells nothing: the next heartbeat will. */
  #doubt(generation: number, error: KafkaErrorName): void {
    if (this.#isJoining || generation !== this.#generation) return
    if (error === 'REBALANCE_IN_PROGRESS') this.#signal('the group rebalances')
    else if (error === 'FENCED_INSTANCE_ID') {
      this.#lose('another process took our name')
      this.#signal('fenced')
    } else if (!isTemporary(error)) {
      this.#forget(error)
      this.#signal('forgotten')
    }
  }

  #signal(why: Wake): void {
    this.#pendingWake ??= why
    this.#wake(why)
  }

  async #recover(error: unknown, failures: number): Promise<void> {
    const { clock, random } = this.#deps
    if (!(error instanceof KafkaError)) return this.#waitForCluster(error)
    switch (error.error) {
      case 'REBALANCE_IN_PROGRESS':
        break
      case 'UNKNOWN_MEMBER_ID':
      case 'ILLEGAL_GENERATION':
        this.#forget(error.error)
        break
      case 'FENCED_INSTANCE_ID':
        return this.#fenced(error)
      case 'INCONSISTENT_GROUP_PROTOCOL':
        throw new MaxbrodError(
          'GROUP_PROTOCOL',
          `group ${this.#options.groupId} is used by consumers of another kind`,
          {
            cause: error,
            hint: 'choose another --group-id',
          },
        )
      default:
        await this.#waitForCluster(error)
    }
    if (failures > 0) await clock.sleep(backoffMs(BACKOFF, failures, random), this.#closing.signal)
  }

  /** Throws what time does not heal, and what it did not heal in time. */
  async #waitForCluster(error: unknown): Promise<void> {
    const { clock, onEvent, joinDeadlineMs } = this.#deps
    const isMember = this.#provenAtMs > -Infinity
    const sinceMs = clock.monotonic() - Math.max(this.#provenAtMs, this.#startedAtMs)
    const isOver = sinceMs > (isMember ? GIVE_UP_MS : joinDeadlineMs)
    if (error instanceof KafkaError) {
      const isPatient = isTemporary(error.error) || error.error === 'GROUP_MAX_SIZE_REACHED'
      if (!isPatient || isOver) throw endingOf(error, `join group ${this.#options.groupId}`)
    } else if (!isMember || isOver || !isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')) throw error
    onEvent('cannot reach the group, trying again', { reason: messageOf(error) })
    await clock.sleep(BACKOFF.initialMs, this.#closing.signal)
  }

  /**
   * Another process joined under our name. Ending at once would let a supervisor restart us at once, and the two would take
   * the name from each other for ever: hence the pause.
   */
  async #fenced(cause: KafkaError): Promise<never> {
    const { groupId, instanceId, sessionTimeoutMs } = this.#options
    this.#lose('another process took our name')
    await this.#deps.clock.sleep(sessionTimeoutMs, this.#closing.signal)
    throw new MaxbrodError('GROUP_FENCED', `another process joined group ${groupId} as ${instanceId ?? ''}`, {
      cause,
      hint: 'give each worker its own --worker-name and --working-dir',
      groupId,
      instanceId,
    })
  }

  /** The group went on without us: what we owned may be somebody else's already. */
  #forget(error: KafkaErrorName): void {
    // With another generation alone it still knows our id, and would wait for it.
    if (error !== 'ILLEGAL_GENERATION') this.#memberId = ''
    this.#lose('the group went on without this member')
  }

  #lose(why: string): void {
    this.#generation = -1
    const lost = this.owned
    this.#ownerships.end(lost, why)
    if (lost.length === 0) return
    this.#deps.onEvent('lost partitions', { partitions: lost.length, reason: why })
    this.#options.listener.lost(lost)
  }

  #prove(atMs: number): void {
    this.#provenAtMs = Math.max(this.#provenAtMs, atMs)
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted
  }
}
