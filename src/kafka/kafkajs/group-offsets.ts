import { PartitionMap } from '../../runtime/topic-partition.ts'
import { KafkaError, isTemporary, kafkaErrorName } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { GroupCommit, GroupOffsetsAnswer } from '../port/admin.ts'
import { MANY_GROUPS, OFFSET_FETCH, offsetFetchCall } from '../protocol/offset-fetch.ts'
import type { FetchedGroup } from '../protocol/offset-fetch.ts'
import type { BrokerConnection } from './broker-connection.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Coordinators } from './coordinators.ts'

/** Groups in one request: an answer of 100 groups with 1,000 partitions each is a few megabytes. */
const PER_REQUEST = 100

/** All that the groups have committed; see ClusterAdmin.groupOffsets. */
export async function groupOffsets(
  view: ClusterView,
  coordinators: Coordinators,
  groups: readonly string[],
): Promise<GroupOffsetsAnswer> {
  const offsets = new Map<string, PartitionMap<GroupCommit>>()
  const failed = new Map<string, KafkaErrorName>()
  const attempt = async () => {
    const left = groups.filter(group => !offsets.has(group) && !failed.has(group))
    for (const [group, error] of await coordinators.find(left)) failed.set(group, error)
    const asking = coordinators.byAddress(left).map(async ([address, of]) => {
      try {
        for (const fetched of await fetchAll(view.connections.to(address, 'admin'), of)) take(fetched)
      } catch (error) {
        for (const group of of) coordinators.forget(group)
        throw error
      }
    })
    await Promise.all(asking)
    if (trouble === undefined) return
    const found = trouble
    trouble = undefined
    throw found
  }
  let trouble: KafkaError | undefined
  const take = ({ group, errorCode, offsets: all }: FetchedGroup) => {
    const error = kafkaErrorName(errorCode) ?? all.map(one => kafkaErrorName(one.errorCode)).find(isLasting)
    if (error === undefined) offsets.set(group, new PartitionMap(all.flatMap(commitOf)))
    else if (isTemporary(error)) {
      coordinators.forget(group)
      trouble = new KafkaError(error, 'OffsetFetch', group)
    } else failed.set(group, error)
  }
  await view.ask(`ask what ${groups.length} groups have committed`, attempt)
  return { offsets, failed }
}

/** Older brokers take one group at a time; over one connection, they need not wait for each other's way. */
async function fetchAll(connection: BrokerConnection, groups: readonly string[]): Promise<FetchedGroup[]> {
  const { apiKey, newest, oldest } = OFFSET_FETCH
  const version = (await connection.version(apiKey, newest, oldest)) ?? oldest
  const size = version >= MANY_GROUPS ? PER_REQUEST : 1
  const answers: Promise<FetchedGroup[]>[] = []
  for (let at = 0; at < groups.length; at += size)
    answers.push(connection.send(offsetFetchCall(version, groups.slice(at, at + size))))
  return (await Promise.all(answers)).flat()
}

/** A topic that is gone, or that this user may not see, takes its own offsets away and no others. */
function isLasting(error: KafkaErrorName | undefined): error is KafkaErrorName {
  return error !== undefined && error !== 'UNKNOWN_TOPIC_OR_PARTITION' && error !== 'TOPIC_AUTHORIZATION_FAILED'
}

function commitOf({ topic, partition, offset, leaderEpoch, metadata, errorCode }: FetchedGroup['offsets'][number]) {
  if (errorCode !== 0 || offset < 0n) return []
  return [
    [
      { topic, partition },
      { offset: safe(offset), leaderEpoch, metadata: metadata ?? '' },
    ] as const,
  ]
}

/** Nothing keeps a group from committing 2^63 − 1. It means the end of all things, as the largest safe offset does. */
function safe(offset: bigint): number {
  return offset > MAX_OFFSET ? Number(MAX_OFFSET) : Number(offset)
}

const MAX_OFFSET = 2n ** 53n - 2n
