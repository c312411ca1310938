import { abortable } from '../../runtime/aborted.ts'
import { BufferPool } from '../../runtime/buffer-pool.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Vitals } from '../../observe/vitals.ts'
import { MemberSession } from '../group/session.ts'
import { selectPartitions } from '../group/selected-partitions.ts'
import type { GroupOptions, GroupSession } from '../port/membership.ts'
import type { Kafka } from '../port.ts'
import { newAdmin } from './admin.ts'
import { newAppender } from './appender.ts'
import { ClusterView } from './cluster-view.ts'
import type { ClusterSettings } from './cluster-view.ts'
import { newFetcher } from './fetcher.ts'
import { newCoordinator } from './group-coordinator.ts'
import { describeTopics } from './describe-topics.ts'
import type { KafkajsLogger } from './internals.ts'
import { readRecords, readSourceOffsets } from './read-records.ts'

export interface KafkaLog {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
}

export interface OpenKafkaOptions {
  readonly bootstrapServers: ClusterSettings['bootstrapServers']
  readonly listAgain?: ClusterSettings['listAgain']
  readonly clientId: string
  /** Options of node:tls, asked for each connection; or null for plain text. */
  readonly tls: (() => object) | null
  /** A mechanism in kafkajs' form, or null. */
  readonly sasl: object | null
  readonly bootstrapDeadlineMs: number
  readonly deadlineMs: number
  /** How many bytes of unused buffers are kept for later answers. */
  readonly poolBytes: number
}

const CONNECT_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const REAUTHENTICATE_BEFORE_MS = 10_000

/** The cluster behind the port, over kafkajs' sockets. Connects when first asked for something. */
export function openKafka(
  options: OpenKafkaOptions,
  { clock, random, vitals, log }: { clock: Clock; random: Random; vitals: Vitals; log: KafkaLog },
): Kafka {
  const view = new ClusterView(
    {
      bootstrapServers: options.bootstrapServers,
      listAgain: options.listAgain,
      bootstrapDeadlineMs: options.bootstrapDeadlineMs,
      deadlineMs: options.deadlineMs,
      connection: {
        clientId: options.clientId,
        tls: options.tls,
        sasl: options.sasl,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        reauthenticationThreshold: REAUTHENTICATE_BEFORE_MS,
        logger: demoted(log),
      },
    },
    { clock, random, pool: new BufferPool(options.poolBytes) },
  )
  const fetcher = newFetcher(view)
  const sessions = new Set<MemberSession>()
  let appenders = 0
  let members = 0

  const joinGroup = async (group: GroupOptions, signal?: AbortSignal): Promise<GroupSession> => {
    signal?.throwIfAborted()
    const session = new MemberSession(group, {
      coordinator: newCoordinator(view, group, members++),
      select: async ending =>
        selectPartitions(group.selection, await describeTopics(view, group.selection.names, ending)),
      clock,
      random: random.number,
      vitals,
      joinDeadlineMs: options.deadlineMs,
      onEvent: (event, facts) => log.info({ group: group.groupId, ...facts }, event),
    })
    sessions.add(session)
    void session.ended.catch(() => undefined).then(() => sessions.delete(session))
    try {
      await (signal === undefined ? session.ready : abortable(session.ready, signal))
    } catch (error) {
      // A static member keeps its place: it may only be starting again.
      await (group.instanceId === undefined ? session.leave() : session[Symbol.asyncDispose]())
      throw error
    }
    return session
  }

  return {
    admin: newAdmin(view),
    routes: view,
    fetcher,
    readRecords: (partition, from, to, signal) => readRecords(view, fetcher, partition, from, to, signal),
    readSourceOffsets: (partition, offset, to, signal) =>
      readSourceOffsets(view, fetcher, partition, offset, to, signal),
    newAppender: () => newAppender(view, appenders++),
    joinGroup,
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions].map(session => session[Symbol.asyncDispose]()))
      view.close()
    },
  }
}

/** kafkajs logs every failed request as an error; here the caller decides what a failure means. */
function demoted(log: KafkaLog): KafkajsLogger {
  const write = (message: string, extra: object = {}) => log.debug({ kafkajs: extra }, message)
  const logger: KafkajsLogger = {
    namespace: () => logger,
    error: write,
    warn: write,
    info: write,
    debug: () => undefined,
  }
  return logger
}
