import { KafkaError, kafkaErrorName } from '../kafka-errors.ts'
import type { NamedMember } from '../../runtime/name-members.ts'
import {
  DESCRIBE_CONSUMER_GROUPS,
  DESCRIBE_GROUPS,
  describeConsumerGroupCall,
  describeGroupCall,
} from '../protocol/describe-groups.ts'
import type { DescribedMember } from '../protocol/describe-groups.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Coordinators } from './coordinators.ts'

/** See ClusterAdmin.members. */
export function membersOf(view: ClusterView, coordinators: Coordinators, group: string): Promise<NamedMember[]> {
  return view.ask(`ask for the members of group ${group}`, async () => {
    try {
      return (await askCoordinator(coordinators, group)).map(({ instanceId, ...member }) => ({
        ...member,
        instanceId: instanceId ?? undefined,
      }))
    } catch (error) {
      coordinators.forget(group)
      throw error
    }
  })
}

async function askCoordinator(coordinators: Coordinators, group: string): Promise<readonly DescribedMember[]> {
  const connection = await coordinators.of(group)
  const { apiKey, newest, oldest } = DESCRIBE_GROUPS
  const { errorCode, members } = await connection.send(
    describeGroupCall((await connection.version(apiKey, newest, oldest)) ?? oldest, group),
  )
  const error = kafkaErrorName(errorCode)
  if (error !== undefined && error !== 'GROUP_ID_NOT_FOUND') throw new KafkaError(error, 'DescribeGroups', group)
  if (members.length > 0) return members
  const modern = DESCRIBE_CONSUMER_GROUPS
  const version = await connection.version(modern.apiKey, modern.newest, modern.oldest)
  // An error says that it is no such group, and then it has nobody.
  return version === undefined ? [] : (await connection.send(describeConsumerGroupCall(group))).members
}
