import type { Clock } from '../../runtime/clock.ts'
import { assign } from './assignor.ts'
import type { Coordinator, JoinedGroup } from './coordinator.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './member-data.ts'
import type { Assignment, Unshared } from './member-data.ts'
import type { Membership } from './membership.ts'
import type { SelectedPartitions } from './selected-partitions.ts'

export interface RoundDeps {
  readonly coordinator: Pick<Coordinator, 'join' | 'sync'>
  readonly member: Membership
  readonly clock: Clock
}

export interface Round {
  readonly generation: number
  readonly isLeader: boolean
  readonly leaderId: string
  readonly assignment: Assignment
}

/** An assignment is kept by the coordinator, whose records are bounded: more names than that are only counted. */
const NAMED_TOPICS = 20

/** One round of join and sync: the member says what it matches and owns, and is told what it gets. */
export function joinAndSync(deps: RoundDeps, selection: SelectedPartitions, nonce: number): Promise<Round> {
  const { coordinator, member, clock } = deps
  return member.joining(async () => {
    const { hash: selectionHash, topics } = selection
    const { owned, generation } = member
    const subscription = encodeSubscription({ selectionHash, topics, owned, generation, nonce })
    const joined = await coordinator.join(member.memberId, subscription, memberId => member.named(memberId))
    member.named(joined.memberId)
    const sentAtMs = clock.monotonic()
    const assignment = decodeAssignment(await coordinator.sync(joined, assignmentsOfLeader(joined, selection)))
    member.entered(joined.generation, sentAtMs)
    const { generation: joinedAt, leaderId, members } = joined
    return { generation: joinedAt, isLeader: members.length > 0, leaderId, assignment }
  })
}

/** What every member gets, if this one leads; nothing otherwise. */
function assignmentsOfLeader(
  { members }: JoinedGroup,
  { hash: selectionHash, topics, partitions }: SelectedPartitions,
): { readonly memberId: string; readonly memberAssignment: Buffer }[] {
  if (members.length === 0) return []
  const claims = members.map(({ memberId, memberMetadata }) => ({ memberId, ...decodeSubscription(memberMetadata) }))
  const shared = new Set(topics)
  const unshared = new Map(claims.map(({ memberId, topics: theirs }) => [memberId, unsharedOf(theirs, shared)]))
  return [...assign(claims, partitions)].map(([memberId, of]) => ({
    memberId,
    memberAssignment: encodeAssignment({
      selectionHash,
      partitions: of,
      unshared: unshared.get(memberId) ?? unsharedOf([], shared),
    }),
  }))
}

function unsharedOf(topics: readonly string[], shared: ReadonlySet<string>): Unshared {
  const missing = topics.filter(topic => !shared.has(topic))
  return { topics: missing.slice(0, NAMED_TOPICS), count: missing.length }
}
