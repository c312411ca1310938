import { drillOf, newScratch } from '../format/drill-names.ts'
import type { Scratch } from '../format/drill-names.ts'
import type { Kafka } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../runtime/clock.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import type { Random } from '../runtime/random.ts'
import type { Stop } from '../runtime/stop.ts'

export interface ScratchDeps {
  readonly kafka: Kafka
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** The topics of a drill, from before the first of them is made until the last one is gone. */
export interface DrillScratch extends Scratch {
  /** Topics of drills that died, which are gone now. */
  readonly leftovers: readonly string[]
  /** Rejects when others may believe that this drill is dead. */
  readonly lost: Promise<void>
  /** The cluster for the drill: what it makes is remembered, and what concerns others is left as it is. */
  readonly kafka: Kafka
  /** Removes all that this drill has made. Answers with what is still there, and why; never throws. */
  remove(): Promise<{ readonly left: readonly string[]; readonly reason: string | undefined }>
  /** From now on the next drill may remove what is left. */
  leave(): Promise<void>
}

const REBALANCE_MS = 60_000
const METADATA_REFRESH_MS = 5 * 60_000
const WAIT_MS = 200
/** How long brokers may go on to tell of a topic that was deleted. */
const GONE_MS = 30_000
const DELETING = 4

/**
 * Claims names for a drill: as a member of a group of that name it is alive as long as its heartbeats come, and whoever finds topics of such
 * a name without a member may remove them. That is done here, for drills that died before.
 */
export async function claimScratch(deps: ScratchDeps, sessionTimeoutMs: number, stop: Stop): Promise<DrillScratch> {
  const { kafka, random, log } = deps
  const clusterId = await kafka.admin.clusterId()
  const scratch = newScratch(random.id(), clusterId)
  const nothing = () => undefined
  const session = await kafka.joinGroup(
    {
      groupId: scratch.name,
      instanceId: undefined,
      sessionTimeoutMs,
      rebalanceTimeoutMs: REBALANCE_MS,
      metadataRefreshMs: METADATA_REFRESH_MS,
      // It is a member to be seen, and wants no partitions.
      selection: { fingerprint: scratch.name, names: [scratch.name], matches: () => false },
      listener: { assigned: nothing, revoked: () => Promise.resolve(), lost: nothing },
    },
    stop.draining,
  )
  session.ended.catch(nothing) // whoever waits for `lost` hears of it
  try {
    log.info({ drill: scratch.name }, 'drill begins')
    const leftovers = await removeDead(deps, scratch, clusterId)
    const made = new Set<string>()
    return {
      ...scratch,
      kafka: sparing(kafka, made),
      leftovers,
      lost: session.ended,
      remove: () => removeOwn(deps, scratch, clusterId, made),
      leave: () => session.leave(),
    }
  } catch (error) {
    await session.leave()
    throw error
  }
}

/** Removes the topics of drills that no longer live. What cannot be told or done now is for the next drill. */
async function removeDead(deps: ScratchDeps, own: Scratch, clusterId: string): Promise<readonly string[]> {
  const { kafka, log } = deps
  try {
    // Topics first: whose topics are seen here was a member of its group before.
    const topics = (await kafka.admin.topics()).map(({ name }) => name)
    const others = topics.flatMap(topic => {
      const drill = drillOf(topic, clusterId)?.name
      return drill === undefined || drill === own.name ? [] : [{ topic, drill }]
    })
    if (others.length === 0) return []
    const groups = new Map((await kafka.admin.groups()).map(({ group, state }) => [group, state]))
    if (!groups.has(own.name)) {
      log.warn({ group: own.name }, 'cannot see groups: what drills that died have left is not removed')
      return []
    }
    const isDead = (drill: string) => !groups.has(drill) || ['Empty', 'Dead'].includes(groups.get(drill) ?? '')
    const alive = [...new Set(others.map(({ drill }) => drill))].filter(drill => !isDead(drill))
    for (const drill of alive) log.warn({ drill }, 'another drill is at work, or died a moment ago')
    const dead = others.filter(({ drill }) => isDead(drill)).map(({ topic }) => topic)
    if (dead.length > 0) log.warn({ topics: dead }, 'removing what a drill that died has left')
    await removeTopics(deps, dead)
    return dead
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    log.warn({ reason: messageOf(error) }, 'cannot remove what drills that died have left')
    return []
  }
}

async function removeOwn(
  deps: ScratchDeps,
  own: Scratch,
  clusterId: string,
  made: ReadonlySet<string>,
): Promise<{ readonly left: readonly string[]; readonly reason: string | undefined }> {
  const { kafka, log } = deps
  let left: readonly string[] = []
  try {
    const isOwn = (topic: string) => drillOf(topic, clusterId)?.name === own.name
    // Brokers may not tell yet of what was made a moment ago, nor this process of what it was not answered.
    left = [...made.union(new Set((await kafka.admin.topics()).map(({ name }) => name).filter(isOwn)))]
    await removeTopics(deps, left)
    return { left: [], reason: undefined }
  } catch (error) {
    if (!isMaxbrodError(error)) throw error
    log.error({ topics: left, reason: messageOf(error) }, 'cannot remove the topics of this drill')
    return { left: left.length === 0 ? [own.name] : left, reason: messageOf(error) }
  }
}

/** Deletes topics, and waits until the cluster no longer tells of them. */
async function removeTopics({ kafka, clock }: ScratchDeps, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return
  const limit = newLimit(DELETING)
  await Promise.all(topics.map(topic => limit(() => kafka.admin.deleteTopic(topic))))
  const startedAt = clock.monotonic()
  while ((await kafka.admin.topics(topics)).length > 0 && clock.monotonic() - startedAt < GONE_MS)
    await clock.sleep(WAIT_MS)
}

/** If the brokers forget the producer of a drill too early, its own comparison shows what that did: they need not be changed for it. */
function sparing(kafka: Kafka, made: Set<string>): Kafka {
  const { admin, routes, fetcher } = kafka
  const own: Partial<Kafka['admin']> = {
    alterBrokerDefaults: () => Promise.resolve(),
    async createTopic(topic) {
      const answer = await admin.createTopic(topic)
      if (answer === 'created') made.add(topic.name)
      return answer
    },
  }
  return {
    admin: new Proxy(admin, {
      get: (target, name): unknown => Reflect.get(Object.hasOwn(own, name) ? own : target, name),
    }),
    routes,
    fetcher,
    readRecords: (partition, from, to, signal) => kafka.readRecords(partition, from, to, signal),
    readSourceOffsets: (partition, offset, to, signal) => kafka.readSourceOffsets(partition, offset, to, signal),
    newAppender: () => kafka.newAppender(),
    joinGroup: (options, signal) => kafka.joinGroup(options, signal),
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  }
}
