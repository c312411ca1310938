import type { Ports } from '../../src/commands/ports.ts'
import { KafkaError } from '../../src/kafka/kafka-errors.ts'
import type { KafkaErrorName } from '../../src/kafka/kafka-errors.ts'
import type { AppendAnswer, BatchAppender } from '../../src/kafka/port/appending.ts'
import type { GroupListener, GroupSession } from '../../src/kafka/port/membership.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import { errorCodes } from '../../src/runtime/error-codes.ts'
import type { ErrorCode } from '../../src/runtime/error-codes.ts'
import type { AppendFile, Disk } from '../../src/runtime/disk.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import type { TopicPartition } from '../../src/runtime/topic-partition.ts'
import { partitionName } from '../../src/runtime/topic-partition.ts'
import type { Fault, Faults } from './faults.ts'

/** The verbs that faults can name. Streams fail when they begin or end. */
const VERBS = {
  store: { calls: ['put', 'get', 'head', 'delete', 'deleteAll'], streams: ['list', 'folders'] },
  disk: {
    calls: [
      'makeFolder',
      'list',
      'read',
      'replace',
      'truncate',
      'remove',
      'removeFolder',
      'sync',
      'freeBytes',
      'lock',
      'openAppend',
    ],
    streams: ['readPieces'],
  },
  admin: {
    calls: [
      'clusterId',
      'topics',
      'offsets',
      'offsetsSince',
      'committed',
      'groups',
      'groupOffsets',
      'members',
      'commitFromOutside',
      'createTopic',
      'deleteTopic',
      'topicConfigs',
      'topicAcls',
      'contacts',
      'brokerConfigs',
      'alterTopicConfigs',
      'alterBrokerDefaults',
      'newProducerId',
    ],
    streams: [],
  },
  kafka: {
    calls: ['fetch', 'readSourceOffsets', 'append', 'refresh', 'joinGroup', 'revoked', 'commit', 'leave'],
    streams: ['readRecords'],
  },
} as const

/** Every verb that a fault can name. */
export const knownVerbs: readonly string[] = [
  ...Object.entries(VERBS).flatMap(([port, { calls, streams }]) =>
    [...calls, ...streams].map(verb => `${port}.${verb}`),
  ),
  'disk.append', // of a file that `disk.openAppend` has opened
]

/** The same ports, with the faults. A fault of a verb that does not exist would never fire, so it is refused. */
export function faultyPorts(ports: Ports, faults: Faults, ordered: readonly Fault[]): Ports {
  for (const { verb, source } of ordered)
    if (!knownVerbs.includes(verb)) throw new Error(`no verb of a port: ${source}`)
  return {
    ...ports,
    disk: faultyDisk(ports.disk, faults),
    async openStore(options, tools) {
      return wrap('store', await ports.openStore(options, tools), faults, String)
    },
    async openErasableStore(options, tools) {
      return wrap('store', await ports.openErasableStore(options, tools), faults, String)
    },
    async openKafka(options, tools) {
      return faultyKafka(await ports.openKafka(options, tools), faults)
    },
  }
}

/** A disk whose open files fail as `disk.append`. */
function faultyDisk(disk: Disk, faults: Faults): Disk {
  const openAppend = async (path: string): Promise<AppendFile> => {
    const file = await disk.openAppend(path)
    return {
      append: pieces =>
        faults.run({
          verb: 'disk.append',
          detail: path,
          make: () => file.append(pieces),
          fail: failing('DISK', 'append'),
        }),
      close: () => file.close(),
    }
  }
  return wrap('disk', { ...disk, openAppend }, faults, String)
}

function faultyKafka(kafka: Kafka, faults: Faults): Kafka {
  const { fetcher } = kafka
  return {
    admin: wrap('admin', kafka.admin, faults, detailOf),
    routes: {
      leader: partition => kafka.routes.leader(partition),
      refresh: topics =>
        faults.run({
          verb: 'kafka.refresh',
          detail: topics.join(),
          make: () => kafka.routes.refresh(topics),
          fail: () => undefined, // never throws
        }),
    },
    fetcher: {
      fetch: (nodeId, partitions, options) =>
        faults.run({
          verb: 'kafka.fetch',
          detail: detailOf(partitions),
          make: () => fetcher.fetch(nodeId, partitions, options),
          fail: failing('NETWORK_EXCEPTION', 'Fetch'),
        }),
      reconnect: nodeId => fetcher.reconnect(nodeId),
    },
    readRecords: (partition, from, to, signal) =>
      faults.stream({
        verb: 'kafka.readRecords',
        detail: detailOf(partition),
        make: () => kafka.readRecords(partition, from, to, signal),
        fail: failing('KAFKA_GAVE_UP', 'Fetch'),
      }),
    readSourceOffsets: (partition, offset, to, signal) =>
      faults.run({
        verb: 'kafka.readSourceOffsets',
        detail: detailOf(partition),
        make: () => kafka.readSourceOffsets(partition, offset, to, signal),
        fail: failing('KAFKA_GAVE_UP', 'Fetch'),
      }),
    newAppender: () => faultyAppender(kafka.newAppender(), faults),
    joinGroup: (options, signal) =>
      faults.run({
        verb: 'kafka.joinGroup',
        detail: options.groupId,
        async make() {
          const { listener: told } = options
          const listener: GroupListener = {
            assigned: partitions => told.assigned(partitions),
            revoked: partitions =>
              faults.run({
                verb: 'kafka.revoked',
                detail: detailOf(partitions),
                make: () => told.revoked(partitions),
                fail: failing('KAFKA_GAVE_UP', 'revoked'),
              }),
            lost: partitions => told.lost(partitions),
          }
          return faultySession(await kafka.joinGroup({ ...options, listener }, signal), options.groupId, faults)
        },
        fail: failing('KAFKA_GAVE_UP', 'JoinGroup'),
      }),
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  }
}

function faultyAppender(appender: BatchAppender, faults: Faults): BatchAppender {
  return {
    append: request =>
      faults.run({
        verb: 'kafka.append',
        detail: detailOf(request),
        make: () => appender.append(request),
        // The port does not throw: without an answer, it says so.
        fail: (): AppendAnswer => ({ kind: 'unanswered', reason: 'as the test wants' }),
      }),
    reset: () => appender.reset(),
    [Symbol.dispose]: () => appender[Symbol.dispose](),
  }
}

function faultySession(session: GroupSession, groupId: string, faults: Faults): GroupSession {
  return {
    ended: session.ended,
    get owned() {
      return session.owned
    },
    get selected() {
      return session.selected
    },
    get otherSelection() {
      return session.otherSelection
    },
    get provenAtMs() {
      return session.provenAtMs
    },
    commit: offsets =>
      faults.run({
        verb: 'kafka.commit',
        detail: offsets.map(({ ownership, offset }) => `${partitionName(ownership)}@${offset}`).join(),
        make: () => session.commit(offsets),
        fail: failing('KAFKA_GAVE_UP', 'OffsetCommit'),
      }),
    leave: () =>
      faults.run({
        verb: 'kafka.leave',
        detail: groupId,
        make: () => session.leave(),
        fail: failing('KAFKA_GAVE_UP', 'LeaveGroup'),
      }),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

const USUAL_FAILURE = { store: 'STORAGE_UNREACHABLE', disk: 'DISK', admin: 'KAFKA_GAVE_UP' } as const

function wrap<P extends object>(
  name: keyof typeof USUAL_FAILURE,
  port: P,
  faults: Faults,
  detail: (first: unknown) => string,
): P {
  const { calls, streams }: { calls: readonly string[]; streams: readonly string[] } = VERBS[name]
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...args: unknown[]) => unknown
      const verb = `${name}.${String(key)}`
      const fail = failing(USUAL_FAILURE[name], verb)
      if (calls.includes(String(key))) {
        return (...args: unknown[]) =>
          faults.run({ verb, detail: detail(args[0]), make: () => method(...args) as Promise<unknown>, fail })
      }
      if (streams.includes(String(key))) {
        return (...args: unknown[]) =>
          faults.stream({ verb, detail: detail(args[0]), make: () => method(...args) as AsyncIterable<unknown>, fail })
      }
      return method
    },
  })
}

/** What a disk may answer: of no use for other ports. */
const SYSTEM_CODES = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS']

/** Throws a MaxbrodError for a code of ours, a KafkaError for an error of the protocol; DISK with a cause for one of the system. */
function failing(usual: ErrorCode | KafkaErrorName, doing: string): (code: string) => never {
  return code => {
    const wanted = code === '' ? usual : code
    if (SYSTEM_CODES.includes(wanted)) {
      const cause = Object.assign(new Error(`${wanted}: as the test wants`), { code: wanted })
      throw new MaxbrodError('DISK', `${doing}: ${wanted}`, { cause })
    }
    if (Object.hasOwn(errorCodes, wanted)) throw new MaxbrodError(wanted as ErrorCode, `${doing}: as the test wants`)
    throw new KafkaError(wanted as KafkaErrorName, doing, 'as the test wants')
  }
}

/** Names of topics and partitions in an argument. */
function detailOf(argument: unknown): string {
  if (Array.isArray(argument)) return argument.map(detailOf).join()
  if (typeof argument === 'string') return argument
  if (typeof argument !== 'object' || argument === null) return ''
  return 'topic' in argument && 'partition' in argument ? partitionName(argument as TopicPartition) : ''
}
