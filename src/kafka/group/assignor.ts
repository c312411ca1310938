import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'

/** What the leader knows of a member from its JoinGroup. */
export interface MemberClaim {
  readonly memberId: string
  readonly owned: readonly TopicPartition[]
  /** The generation under which it owned them: of two claims, the newer one holds. */
  readonly generation: number
}

/**
 * Cooperative and sticky (KIP-429): members keep what they own as far as balance allows, and a partition that must move is
 * given to nobody while its old owner still has it. That one gives it up and joins again, then it finds its new owner.
 * Pure: the same claims give the same assignment, in whatever order they come.
 */
export function assign(
  claims: readonly MemberClaim[],
  partitions: readonly TopicPartition[],
): Map<string, TopicPartition[]> {
  const members = claims.toSorted((a, b) => compareText(a.memberId, b.memberId))
  const owners = currentOwners(members, new PartitionMap(partitions.map(partition => [partition, true])))
  const target = balance(members, owners, partitions)
  const assignment = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]))
  for (const [partition, memberId] of target) {
    const owner = owners.get(partition)
    if (owner === undefined || owner === memberId) assignment.get(memberId)?.push(partition)
  }
  return assignment
}

/** Who owns what. A partition claimed twice under one generation has no trustworthy owner: both have to give it up. */
function currentOwners(members: readonly MemberClaim[], known: PartitionMap<true>): PartitionMap<string> {
  const newest = new PartitionMap<{ memberId: string; generation: number }>()
  for (const { memberId, generation, owned } of members) {
    for (const partition of owned) {
      const rival = newest.get(partition)
      if (!known.has(partition) || (rival !== undefined && rival.generation > generation)) continue
      newest.set(partition, { memberId: rival?.generation === generation ? NOBODY : memberId, generation })
    }
  }
  return new PartitionMap([...newest].map(([partition, { memberId }]) => [partition, memberId]))
}

/** No member's id, so a partition that "nobody" owns stays unassigned for this round. */
const NOBODY = ''

function balance(
  members: readonly MemberClaim[],
  owners: PartitionMap<string>,
  partitions: readonly TopicPartition[],
): PartitionMap<string> {
  const target = new PartitionMap<string>()
  if (members.length === 0) return target
  const sorted = partitions.toSorted((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition)
  const kept = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]))
  for (const partition of sorted) kept.get(owners.get(partition) ?? NOBODY)?.push(partition)

  // Those who own most may keep one more than the others where the division leaves a rest.
  const floor = Math.floor(partitions.length / members.length)
  let rest = partitions.length % members.length
  const quotas = new Map<string, number>()
  const byOwned = members.toSorted((a, b) => (kept.get(b.memberId)?.length ?? 0) - (kept.get(a.memberId)?.length ?? 0))
  for (const { memberId } of byOwned) {
    quotas.set(memberId, floor + (rest > 0 ? 1 : 0))
    if (rest > 0) rest--
  }

  const counts = new Map<string, number>()
  for (const { memberId } of members) {
    const keeps = kept.get(memberId)?.slice(0, quotas.get(memberId) ?? 0) ?? []
    for (const partition of keeps) target.set(partition, memberId)
    counts.set(memberId, keeps.length)
  }
  const open = byOwned.map(({ memberId }) => memberId)
  for (const partition of sorted) {
    if (target.has(partition)) continue
    // Fewest first, so that the partitions of a topic spread over the members.
    const next = open
      .filter(memberId => (counts.get(memberId) ?? 0) < (quotas.get(memberId) ?? 0))
      .reduce((a, b) => ((counts.get(b) ?? 0) < (counts.get(a) ?? 0) ? b : a))
    target.set(partition, next)
    counts.set(next, (counts.get(next) ?? 0) + 1)
  }
  return target
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
