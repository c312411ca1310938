import { Aborted, abortable } from '../../runtime/aborted.ts'
import type { GroupOptions } from '../port/membership.ts'
import type { Coordinator } from '../group/coordinator.ts'
import { ASSIGNOR, PROTOCOL_TYPE } from '../group/member-data.ts'
import { KafkaError, kafkaErrorName, kindOf } from '../kafka-errors.ts'
import type { BrokerConnection } from './broker-connection.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Purpose } from './connections.ts'
import { commitOffsets, coordinatorOf, heartbeat, joinGroup, leaveGroup, syncGroup } from './group-requests.ts'

/**
 * The coordinator over kafkajs' sockets: one connection for membership, another for commits. Each `number` has connections of
 * its own.
 */
export function newCoordinator(
  view: ClusterView,
  { groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs }: GroupOptions,
  number: number,
): Coordinator {
  const membership: Purpose = `membership ${number}`
  const commits: Purpose = `commit ${number}`
  const coordinators = new Map<Purpose, Promise<BrokerConnection>>()
  const aborting = new AbortController()
  const identity = (memberId: string) => ({ groupId, memberId, instanceId })
  // A heartbeat that is not answered in this time leaves as much for another one, maybe to another coordinator.
  const heartbeatTimeoutMs = sessionTimeoutMs / 2

  /** Remembers who coordinates until a request fails in a way that may mean somebody else does. */
  const using = async <T>(purpose: Purpose, run: (connection: BrokerConnection) => Promise<T>): Promise<T> => {
    let found = coordinators.get(purpose)
    if (found === undefined) {
      found = coordinatorOf(view, groupId, purpose)
      coordinators.set(purpose, found)
    }
    try {
      return await abortable(found.then(run), aborting.signal)
    } catch (error) {
      if (mayHaveMoved(error) && coordinators.get(purpose) === found) coordinators.delete(purpose)
      throw error
    }
  }

  return {
    join: (memberId, metadata, onNamed) =>
      using(membership, connection => {
        const args = { sessionTimeoutMs, rebalanceTimeoutMs, protocolType: PROTOCOL_TYPE, assignor: ASSIGNOR, metadata }
        return joinGroup(connection, identity(memberId), args, onNamed)
      }),
    sync: ({ memberId, generation }, assignments) =>
      using(membership, connection =>
        syncGroup(connection, identity(memberId), generation, assignments, rebalanceTimeoutMs),
      ),
    heartbeat: (memberId, generation) =>
      using(membership, connection => heartbeat(connection, identity(memberId), generation, heartbeatTimeoutMs)),
    commit: ({ memberId, generation }, offsets) =>
      using(commits, async connection => {
        const request = { groupId, generation, memberId, instanceId: instanceId ?? null, offsets }
        const answered = await commitOffsets(connection, request)
        const errors = answered.map(({ errorCode }) => kafkaErrorName(errorCode))
        const moved = errors.find(error => error !== undefined && kindOf(error) === 'coordinator')
        if (moved !== undefined) throw new KafkaError(moved, 'OffsetCommit')
        return answered
      }),
    abort() {
      aborting.abort(new Aborted('the member was closed'))
      view.connections.reset(membership)
      view.connections.reset(commits)
    },
    async leave(memberId) {
      await leaveGroup(await coordinatorOf(view, groupId, membership), identity(memberId), sessionTimeoutMs)
    },
    close() {
      aborting.abort(new Aborted('the member was closed'))
      view.connections.drop(membership)
      view.connections.drop(commits)
    },
  }
}

/** An answer about the member itself comes from the right coordinator. */
function mayHaveMoved(error: unknown): boolean {
  return !(error instanceof KafkaError) || ['coordinator', 'temporary', 'denied'].includes(kindOf(error.error))
}
