import { KafkaError, kafkaErrorName } from '../kafka-errors.ts'
import type { GroupListing } from '../port/admin.ts'
import { LIST_GROUPS, listGroupsCall } from '../protocol/list-groups.ts'
import type { ClusterView } from './cluster-view.ts'

/**
 * All groups; see ClusterAdmin.groups. Each broker knows those that it coordinates only, so an answer that one of them still
 * owes, or that lacks what it is just loading, is no answer.
 */
export async function listGroups(view: ClusterView): Promise<GroupListing[]> {
  return view.ask('list the consumer groups', async () => {
    const { brokers } = await view.metadata([])
    const lists = brokers.map(async ({ nodeId }) => {
      const connection = view.connection(nodeId, 'admin')
      const { apiKey, newest, oldest } = LIST_GROUPS
      const { errorCode, groups } = await connection.send(
        listGroupsCall((await connection.version(apiKey, newest, oldest)) ?? oldest),
      )
      const error = kafkaErrorName(errorCode)
      if (error !== undefined) throw new KafkaError(error, 'ListGroups', connection.address)
      return groups
    })
    // A group that moved from one broker to another meanwhile may be in both answers.
    return [...new Map((await Promise.all(lists)).flat().map(group => [group.group, group])).values()]
  })
}
