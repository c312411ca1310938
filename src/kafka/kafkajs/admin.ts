import { MaxbrodError } from '../../runtime/errors.ts'
import { KafkaError, kafkaErrorName } from '../kafka-errors.ts'
import type { ClusterAdmin, ConfigChanges } from '../port/admin.ts'
import { BROKER_RESOURCE, TOPIC_RESOURCE, incrementalAlterConfigsCall } from '../protocol/alter-configs.ts'
import type { ConfigResource } from '../protocol/alter-configs.ts'
import type { ClusterView } from './cluster-view.ts'
import { contactBrokers } from './contacts.ts'
import { commitFromOutside } from './commit-from-outside.ts'
import { committedOffsets } from './committed-offsets.ts'
import { Coordinators } from './coordinators.ts'
import { describeConfigs } from './describe-configs.ts'
import { describeTopicAcls } from './describe-acls.ts'
import { describeTopics } from './describe-topics.ts'
import { membersOf } from './group-members.ts'
import { groupOffsets } from './group-offsets.ts'
import { kafkajsRequest } from './internals.ts'
import { listGroups } from './list-groups.ts'
import { listOffsets } from './list-offsets.ts'
import { rightsOf } from './rights.ts'

const CREATE_TIMEOUT_MS = 30_000

/** ClusterAdmin over kafkajs' sockets. */
export function newAdmin(view: ClusterView): ClusterAdmin {
  const coordinators = new Coordinators(view)
  return {
    async clusterId() {
      const { clusterId } = await view.metadata([])
      if (clusterId === null) throw new MaxbrodError('KAFKA_TOO_OLD', 'the cluster does not tell its cluster id')
      return clusterId
    },

    topics: names => describeTopics(view, names),

    offsets: (kind, partitions) => listOffsets(view, kind, partitions),

    offsetsSince: (sinceMs, partitions) => listOffsets(view, { sinceMs }, partitions),

    committed: (groupId, partitions) => committedOffsets(view, groupId, partitions),

    groups: () => listGroups(view),

    groupOffsets: groups => groupOffsets(view, coordinators, groups),

    members: group => membersOf(view, coordinators, group),

    commitFromOutside: (groupId, offsets) => commitFromOutside(view, coordinators, groupId, offsets),

    createTopic: topic =>
      view.ask(`create topic ${topic.name}`, async () => {
        const { controllerId } = await view.metadata([])
        const configEntries = [...topic.configs].map(([name, value]) => ({ name, value }))
        const { name, partitions: numPartitions, replicationFactor } = topic
        const args = {
          topics: [{ topic: name, numPartitions, replicationFactor, configEntries }],
          timeout: CREATE_TIMEOUT_MS,
        }
        type Answer = { topicErrors: { errorCode: number; errorMessage: string | null }[] }
        const connection = view.connection(controllerId, 'admin')
        const answer = await connection.request(kafkajsRequest<Answer>('CreateTopics', args), {
          timeoutMs: CREATE_TIMEOUT_MS + 5_000,
        })
        const error = kafkaErrorName(answer.topicErrors[0]?.errorCode ?? -1)
        if (error === 'TOPIC_ALREADY_EXISTS') return 'exists'
        if (error !== undefined)
          throw new KafkaError(error, 'CreateTopics', answer.topicErrors[0]?.errorMessage ?? undefined)
        return 'created'
      }),

    deleteTopic: topic =>
      view.ask(`delete topic ${topic}`, async () => {
        const { controllerId } = await view.metadata([])
        type Answer = { topicErrors: { errorCode: number }[] }
        const args = { topics: [topic], timeout: CREATE_TIMEOUT_MS }
        const connection = view.connection(controllerId, 'admin')
        const answer = await connection.request(kafkajsRequest<Answer>('DeleteTopics', args), {
          timeoutMs: CREATE_TIMEOUT_MS + 5_000,
        })
        const error = kafkaErrorName(answer.topicErrors[0]?.errorCode ?? -1)
        if (error !== undefined && error !== 'UNKNOWN_TOPIC_OR_PARTITION') throw new KafkaError(error, 'DeleteTopics')
      }),

    topicConfigs: names =>
      view.ask('read topic configs', () =>
        view.anyBroker(connection => describeConfigs(connection, TOPIC_RESOURCE, names)),
      ),

    topicAcls: () => describeTopicAcls(view),

    contacts: () => contactBrokers(view),

    rights: (topics, group) => rightsOf(view, coordinators, topics, group),

    brokerConfigs: () =>
      view.ask('read broker configs', async () => {
        const nodeId = await view.someNode()
        const configs = await describeConfigs(view.connection(nodeId, 'admin'), BROKER_RESOURCE, [String(nodeId)])
        return configs.get(String(nodeId)) ?? []
      }),

    alterTopicConfigs: (topic, configs) => alterConfigs(view, { type: TOPIC_RESOURCE, name: topic }, configs),

    alterBrokerDefaults: configs => alterConfigs(view, { type: BROKER_RESOURCE, name: '' }, configs),

    newProducerId: () =>
      view.ask('get a producer id', async () => {
        type Answer = { errorCode: number; producerId: string }
        const args = { transactionalId: null, transactionTimeout: 60_000 }
        const answer = await view.anyBroker(connection =>
          connection.request(kafkajsRequest<Answer>('InitProducerId', args)),
        )
        const error = kafkaErrorName(answer.errorCode)
        if (error !== undefined) throw new KafkaError(error, 'InitProducerId')
        return BigInt(answer.producerId)
      }),
  }
}

async function alterConfigs(view: ClusterView, resource: ConfigResource, configs: ConfigChanges): Promise<void> {
  const what = resource.name === '' ? 'the broker defaults' : `the configs of ${resource.name}`
  await view.ask(`change ${what}`, async () => {
    const { controllerId } = await view.metadata([])
    const connection = view.connection(controllerId, 'admin')
    const [altered] = await connection.send(incrementalAlterConfigsCall([{ ...resource, configs: [...configs] }]))
    const error = kafkaErrorName(altered?.errorCode ?? -1)
    if (error !== undefined) throw new KafkaError(error, 'IncrementalAlterConfigs', altered?.errorMessage ?? undefined)
  })
}
