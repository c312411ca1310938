import { MaxbrodError } from '../../runtime/errors.ts'
import { nameMembers } from '../../runtime/name-members.ts'
import type { NamedMember } from '../../runtime/name-members.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import { KafkaError, isTemporary, kafkaErrorName } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { CommittedOffset } from '../port/admin.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Coordinators } from './coordinators.ts'
import { membersOf } from './group-members.ts'
import { commitOffsets } from './group-requests.ts'

/** The coordinator writes a request's offsets as one batch, which must not be larger than its topic allows. */
const PER_REQUEST = 500
/** How long the names of members are waited for. */
const NAMES_MS = 5_000
const NOBODY = { generation: -1, memberId: '', instanceId: null } as const

/**
 * Commits for a group without being a member; see ClusterAdmin.commitFromOutside. That nobody else commits meanwhile is for the
 * broker to see to. The leader epoch is −1: a saved one would make consumers of another topic hang.
 */
export async function commitFromOutside(
  view: ClusterView,
  coordinators: Coordinators,
  groupId: string,
  offsets: PartitionMap<CommittedOffset>,
): Promise<PartitionMap<KafkaErrorName>> {
  const refused = new PartitionMap<KafkaErrorName>()
  const all = [...offsets].map(([where, { offset, metadata }]) => ({ ...where, offset, metadata, leaderEpoch: -1 }))
  for (let at = 0; at < all.length; at += PER_REQUEST) {
    const some = all.slice(at, at + PER_REQUEST)
    await view.ask(`commit offsets of group ${groupId}`, async () => {
      try {
        const connection = await coordinators.of(groupId)
        for (const { errorCode, ...where } of await commitOffsets(connection, { groupId, ...NOBODY, offsets: some })) {
          const error = kafkaErrorName(errorCode)
          if (error === 'UNKNOWN_MEMBER_ID') throw activeGroup(groupId, await whoIsIn(view, coordinators, groupId))
          if (error === undefined) continue
          // The same offsets again change nothing.
          if (isTemporary(error) && error !== 'UNKNOWN_TOPIC_OR_PARTITION') throw new KafkaError(error, 'OffsetCommit')
          if (error === 'GROUP_AUTHORIZATION_FAILED') throw new KafkaError(error, 'OffsetCommit')
          refused.set(where, error)
        }
      } catch (error) {
        coordinators.forget(groupId)
        throw error
      }
    })
  }
  return refused
}

/** Their names are a help, and no reason to fail in another way. */
async function whoIsIn(view: ClusterView, coordinators: Coordinators, groupId: string): Promise<NamedMember[]> {
  return (
    (await view.within(
      NAMES_MS,
      membersOf(view, coordinators, groupId).catch(() => []),
    )) ?? []
  )
}

function activeGroup(groupId: string, members: readonly NamedMember[]): MaxbrodError {
  const named = members.length === 0 ? '' : `: ${nameMembers(members)}`
  return new MaxbrodError('GROUP_ACTIVE', `group ${groupId} has members, whose offsets are theirs to commit${named}`, {
    group: groupId,
    members,
    hint: 'stop all of its members, wait for their session time-out (30 s), and try again',
  })
}
