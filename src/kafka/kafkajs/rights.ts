import { KafkaError, kafkaErrorName, kindOf } from '../kafka-errors.ts'
import type { Rights } from '../port/admin.ts'
import { DESCRIBE_GROUPS, describeGroupCall } from '../protocol/describe-groups.ts'
import { METADATA_WITH_RIGHTS, metadataCall } from '../protocol/metadata.ts'
import type { MetadataAnswer } from '../protocol/metadata.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Coordinators } from './coordinators.ts'

/** Kafka's AclOperation, by code. */
const OPERATIONS = new Map([
  [3, 'READ'],
  [4, 'WRITE'],
  [5, 'CREATE'],
  [6, 'DELETE'],
  [7, 'ALTER'],
  [8, 'DESCRIBE'],
  [9, 'CLUSTER_ACTION'],
  [10, 'DESCRIBE_CONFIGS'],
  [11, 'ALTER_CONFIGS'],
  [12, 'IDEMPOTENT_WRITE'],
])

/** See ClusterAdmin.rights. */
export async function rightsOf(
  view: ClusterView,
  coordinators: Coordinators,
  topics: readonly string[],
  group: string | undefined,
): Promise<Rights> {
  const [metadata, ofGroup] = await Promise.all([
    view.ask('ask for rights', () => askForRights(view, topics)),
    group === undefined
      ? undefined
      : view.ask(`ask for rights on group ${group}`, () => askForGroup(coordinators, group)),
  ])
  return {
    cluster: named(metadata?.clusterOperations),
    topics: new Map(metadata?.topics.map(topic => [topic.name, named(topic.operations)])),
    group: ofGroup,
  }
}

function askForRights(view: ClusterView, topics: readonly string[]): Promise<MetadataAnswer | undefined> {
  return view.anyBroker(async connection => {
    const { apiKey, newest, oldest } = METADATA_WITH_RIGHTS
    const version = await connection.version(apiKey, newest, oldest)
    return version === undefined ? undefined : connection.send(metadataCall(version, topics, { withRights: true }))
  })
}

async function askForGroup(coordinators: Coordinators, group: string): Promise<ReadonlySet<string> | undefined> {
  const failed = (await coordinators.find([group])).get(group)
  if (failed !== undefined && kindOf(failed) === 'denied') return new Set<string>()
  const connection = await coordinators.of(group)
  const { apiKey, newest, oldest } = DESCRIBE_GROUPS
  const version = await connection.version(apiKey, newest, oldest)
  if (version === undefined) return undefined
  const { errorCode, operations } = await connection.send(describeGroupCall(version, group))
  const error = kafkaErrorName(errorCode)
  if (error === undefined) return named(operations)
  if (kindOf(error) === 'denied') return new Set<string>()
  coordinators.forget(group)
  throw new KafkaError(error, 'DescribeGroups', group)
}

function named(field: number | undefined): ReadonlySet<string> | undefined {
  if (field === undefined) return undefined
  return new Set([...OPERATIONS].filter(([code]) => (field & (1 << code)) !== 0).map(([, name]) => name))
}
