export interface NodePlace {
  readonly nodeId: number
  readonly port: number
  readonly controllerPort: number
  readonly listeners: readonly Listener[]
}

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export interface Listener {
  readonly name: string
  readonly protocol: SecurityProtocol
  readonly port: number
  /** Where clients are sent instead: to a proxy. */
  readonly advertisedPort?: number | undefined
}

/**
 * server.properties of one node: a small KRaft cluster that starts fast, waits for nothing and keeps internal topics
 * small. Tests override what they are about. The plain listener always exists, for the helpers and between the nodes;
 * listeners with TLS or SASL stand beside it.
 */
export function brokerProperties(
  nodes: readonly NodePlace[],
  index: number,
  folder: string,
  overrides: Readonly<Record<string, string | number>>,
): string {
  const { nodeId, port, controllerPort, listeners } = nodes[index]!
  const places = (portOf: (listener: Listener) => number) =>
    [`PLAIN://127.0.0.1:${port}`, ...listeners.map(one => `${one.name}://127.0.0.1:${portOf(one)}`)].join(',')
  const open = places(listener => listener.port)
  const protocols = listeners.map(({ name, protocol }) => `,${name}:${protocol}`).join('')
  const minInSync = nodes.length > 1 ? 2 : 1
  const properties: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': nodes.map(node => `${node.nodeId}@127.0.0.1:${node.controllerPort}`).join(','),
    listeners: `${open},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': places(listener => listener.advertisedPort ?? listener.port),
    'listener.security.protocol.map': `PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT${protocols}`,
    'inter.broker.listener.name': 'PLAIN',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': folder,
    'auto.create.topics.enable': 'false',

    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': nodes.length,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': nodes.length,
    'transaction.state.log.min.isr': minInSync,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': nodes.length,
    'share.coordinator.state.topic.min.isr': minInSync,
    'min.insync.replicas': minInSync,
    'default.replication.factor': nodes.length,

    // The cleaner and retention look often, so that tests of compacted and expired logs need not wait for minutes. By
    // default nothing expires: sources with old timestamps must stay; a test about retention sets it on its topic.
    'log.retention.ms': -1,
    'log.cleaner.backoff.ms': 200,
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    'log.cleaner.threads': 1,
    'log.initial.task.delay.ms': 500,
    'log.retention.check.interval.ms': 500,
    'log.segment.delete.delay.ms': 1_000,

    // A dead node of three is noticed within a second or two instead of nine.
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 3_000,
    'controller.quorum.election.timeout.ms': 500,
    'controller.quorum.fetch.timeout.ms': 1_000,

    // Idle nodes do nothing; by default the controller writes a record twice a second.
    'metadata.max.idle.interval.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'num.recovery.threads.per.data.dir': 1,
    ...overrides,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
