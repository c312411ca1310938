import { KafkaError, kafkaErrorName } from '../kafka-errors.ts'
import { OFFSET_COMMIT, offsetCommitCall } from '../protocol/offset-commit.ts'
import type { CommittedPartition, OffsetCommitRequest } from '../protocol/offset-commit.ts'
import type { BrokerConnection } from './broker-connection.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Purpose } from './connections.ts'
import { kafkajsRequest } from './internals.ts'

const GROUP_KEY = 0
/** How much longer than the broker may take we wait for it. */
const GRACE_MS = 10_000

/** A connection to the group's coordinator. Throws KafkaError; a moved or missing coordinator is temporary. */
export async function coordinatorOf(view: ClusterView, groupId: string, purpose: Purpose): Promise<BrokerConnection> {
  const { errorCode, errorMessage, host, port } = await view.anyBroker(connection =>
    findCoordinator(connection, groupId),
  )
  fail(errorCode, 'FindCoordinator', errorMessage ?? undefined)
  return view.connections.to({ host, port }, purpose)
}

/** Who coordinates a group, as every broker knows. */
export async function findCoordinator(connection: BrokerConnection, group: string) {
  type Answer = { errorCode: number; errorMessage: string | null; coordinator: { host: string; port: number } }
  const args = { groupId: group, coordinatorType: GROUP_KEY }
  const { coordinator, ...answer } = await connection.request(kafkajsRequest<Answer>('GroupCoordinator', args))
  return { ...answer, ...coordinator, group }
}

/** Who we are to the coordinator. */
export interface MemberIdentity {
  readonly groupId: string
  readonly memberId: string
  readonly instanceId: string | undefined
}

export interface Joined {
  readonly generation: number
  readonly memberId: string
  readonly leaderId: string
  /** All members with their metadata when we lead; empty otherwise. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
}

export interface JoinArgs {
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly assignor: string
  readonly metadata: Buffer
}

/** Joins; the broker answers when all members have, or the rebalance time-out is over. A new dynamic member asks twice (KIP-394). */
export async function joinGroup(
  connection: BrokerConnection,
  identity: MemberIdentity,
  args: JoinArgs,
  onNamed: (memberId: string) => void,
): Promise<Joined> {
  type Answer = {
    errorCode: number
    generationId: number
    memberId: string
    leaderId: string
    members: Joined['members']
  }
  const { groupId, memberId, instanceId } = identity
  const protocol = kafkajsRequest<Answer>('JoinGroup', {
    groupId,
    memberId,
    groupInstanceId: instanceId ?? null,
    sessionTimeout: args.sessionTimeoutMs,
    rebalanceTimeout: args.rebalanceTimeoutMs,
    protocolType: args.protocolType,
    groupProtocols: [{ name: args.assignor, metadata: args.metadata }],
  })
  const answer = await connection.request(protocol, { timeoutMs: args.rebalanceTimeoutMs + GRACE_MS })
  if (kafkaErrorName(answer.errorCode) === 'MEMBER_ID_REQUIRED' && memberId === '') {
    onNamed(answer.memberId)
    return joinGroup(connection, { ...identity, memberId: answer.memberId }, args, onNamed)
  }
  fail(answer.errorCode, 'JoinGroup')
  return {
    generation: answer.generationId,
    memberId: answer.memberId,
    leaderId: answer.leaderId,
    members: answer.members,
  }
}

/** Brings the leader's assignment to the members; returns ours. */
export async function syncGroup(
  connection: BrokerConnection,
  { groupId, memberId, instanceId }: MemberIdentity,
  generation: number,
  assignments: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[],
  timeoutMs: number,
): Promise<Buffer> {
  type Answer = { errorCode: number; memberAssignment: Buffer | null }
  const args = {
    groupId,
    memberId,
    groupInstanceId: instanceId ?? null,
    generationId: generation,
    groupAssignment: assignments,
  }
  const answer = await connection.request(kafkajsRequest<Answer>('SyncGroup', args), {
    timeoutMs: timeoutMs + GRACE_MS,
  })
  fail(answer.errorCode, 'SyncGroup')
  return answer.memberAssignment ?? Buffer.alloc(0)
}

export async function heartbeat(
  connection: BrokerConnection,
  { groupId, memberId, instanceId }: MemberIdentity,
  generation: number,
  timeoutMs: number,
): Promise<void> {
  const args = { groupId, memberId, groupInstanceId: instanceId ?? null, groupGenerationId: generation }
  const answer = await connection.request(kafkajsRequest<{ errorCode: number }>('Heartbeat', args), { timeoutMs })
  fail(answer.errorCode, 'Heartbeat')
}

export async function leaveGroup(
  connection: BrokerConnection,
  { groupId, memberId, instanceId }: MemberIdentity,
  timeoutMs: number,
): Promise<void> {
  type Answer = { errorCode: number; members: readonly { errorCode: number }[] }
  const args = { groupId, memberId, groupInstanceId: instanceId ?? null }
  const answer = await connection.request(kafkajsRequest<Answer>('LeaveGroup', args), { timeoutMs })
  for (const { errorCode } of [answer, ...answer.members]) fail(errorCode, 'LeaveGroup')
}

/** Commits offsets; the answer has an error code for each partition. */
export async function commitOffsets(
  connection: BrokerConnection,
  request: OffsetCommitRequest,
): Promise<CommittedPartition[]> {
  const version = await connection.version(OFFSET_COMMIT.apiKey, OFFSET_COMMIT.newest, OFFSET_COMMIT.oldest)
  return connection.send(offsetCommitCall(version ?? OFFSET_COMMIT.oldest, request))
}

function fail(errorCode: number, request: string, detail?: string): void {
  const error = kafkaErrorName(errorCode)
  if (error !== undefined) throw new KafkaError(error, request, detail)
}
