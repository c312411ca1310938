import { KafkaError, kafkaErrorName, kindOf } from '../kafka-errors.ts'
import type { TopicAcl } from '../port/admin.ts'
import type { ClusterView } from './cluster-view.ts'
import { kafkajsRequest } from './internals.ts'

/** Kafka's codes: any operation, permission and pattern; topics. */
const ANY = 1
const TOPIC = 2

interface Answer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resources: readonly {
    readonly resourceName: string
    readonly resourcePatternType: number
    readonly acls: readonly { principal: string; host: string; operation: number; permissionType: number }[]
  }[]
}

/** The ACLs on topics; none when the cluster has no authorizer, or does not let this user see them. */
export async function describeTopicAcls(view: ClusterView): Promise<TopicAcl[]> {
  const filter = {
    resourceType: TOPIC,
    resourceName: null,
    resourcePatternType: ANY,
    principal: null,
    host: null,
    operation: ANY,
    permissionType: ANY,
  }
  return view.ask('read topic ACLs', async () => {
    const answer = await view.anyBroker(connection =>
      connection.request(kafkajsRequest<Answer>('DescribeAcls', filter)),
    )
    const error = kafkaErrorName(answer.errorCode)
    if (error === 'SECURITY_DISABLED' || (error !== undefined && kindOf(error) === 'denied')) return []
    if (error !== undefined) throw new KafkaError(error, 'DescribeAcls', answer.errorMessage ?? undefined)
    return answer.resources.flatMap(({ resourceName, resourcePatternType, acls }) =>
      acls.map(({ permissionType, ...acl }) => ({
        ...acl,
        resource: resourceName,
        patternType: resourcePatternType,
        permission: permissionType,
      })),
    )
  })
}
