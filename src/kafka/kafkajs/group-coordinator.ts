import type { GroupOptions } from '../port.ts'
import type { Coordinator } from '../group/coordinator.ts'
import { ASSIGNOR, PROTOCOL_TYPE } from '../group/member-data.ts'
import { KafkaError, kafkaErrorName, kindOf } from '../kafka-errors.ts'
import type { BrokerConnection } from './broker-connection.ts'
import type { ClusterView, Purpose } from './cluster-view.ts'
import { commitOffsets, coordinatorOf, heartbeat, joinGroup, leaveGroup, syncGroup } from './group-requests.ts'

/** The coordinator over kafkajs' sockets: one connection for membership, another for commits. */
export function newCoordinator(
  view: ClusterView,
  { groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs }: GroupOptions,
): Coordinator {
  const connections = new Map<Purpose, Promise<BrokerConnection>>()
  const identity = (memberId: string) => ({ groupId, memberId, instanceId })

  /** Remembers who coordinates until a request fails in a way that may mean somebody else does. */
  const using = async <T>(purpose: Purpose, run: (connection: BrokerConnection) => Promise<T>): Promise<T> => {
    let found = connections.get(purpose)
    if (found === undefined) {
      found = coordinatorOf(view, groupId, purpose)
      connections.set(purpose, found)
    }
    try {
      return await run(await found)
    } catch (error) {
      const isLost =
        error instanceof KafkaError &&
        (kindOf(error.error) === 'coordinator' ||
          error.error === 'NETWORK_EXCEPTION' ||
          error.error === 'REQUEST_TIMED_OUT')
      if (isLost && connections.get(purpose) === found) connections.delete(purpose)
      throw error
    }
  }

  return {
    join: (memberId, metadata) =>
      using('membership', connection =>
        joinGroup(connection, identity(memberId), {
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          protocolType: PROTOCOL_TYPE,
          assignor: ASSIGNOR,
          metadata,
        }),
      ),
    sync: ({ memberId, generation }, assignments) =>
      using('membership', connection =>
        syncGroup(connection, identity(memberId), generation, assignments, rebalanceTimeoutMs),
      ),
    heartbeat: (memberId, generation) =>
      using('membership', connection => heartbeat(connection, identity(memberId), generation, sessionTimeoutMs)),
    commit: ({ memberId, generation }, offsets) =>
      using('commit', async connection => {
        const request = { groupId, generation, memberId, instanceId: instanceId ?? null, offsets }
        const answered = await commitOffsets(connection, request)
        const errors = answered.map(({ errorCode }) => kafkaErrorName(errorCode))
        const moved = errors.find(error => error !== undefined && kindOf(error) === 'coordinator')
        if (moved !== undefined) throw new KafkaError(moved, 'OffsetCommit')
        return answered
      }),
    leave: memberId => using('membership', connection => leaveGroup(connection, identity(memberId), sessionTimeoutMs)),
    close() {
      for (const found of connections.values()) {
        found.then(
          connection => connection.destroy(),
          () => undefined,
        )
      }
      connections.clear()
    },
  }
}
