import type { FetchPartition, FetchedBatches } from '../kafka/port/fetching.ts'
import type { Leader } from '../kafka/port.ts'
import type { Lease } from '../runtime/byte-budget.ts'
import { backoffMs } from '../runtime/retry.ts'
import { messageOf } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import { unlessAborted } from '../runtime/aborted.ts'
import type { WorkerContext } from './deps.ts'
import { FetchOrder } from './fetch-order.ts'
import type { WorkerMemory } from './memory.ts'
import type { PartitionBackup } from './partition/partition.ts'
import type { Throttle } from '../runtime/throttle.ts'

export interface FetchLoopDeps {
  readonly context: WorkerContext
  readonly memory: WorkerMemory
  readonly throttle: Throttle
  /** True while nothing can be stored on the disk: what was read stays in memory. */
  readonly isDiskFull: () => boolean
  /** The partitions that are read, all brokers'. */
  readonly partitions: () => Iterable<PartitionBackup>
  /** Bytes of records that one answer may hold. */
  readonly maxBytes: number
  readonly minBytes: number
  readonly signal: AbortSignal
}

const MAX_WAIT_MS = 500
const IDLE_MS = 50
/** One partition's share of an answer. */
const MIN_SHARE_BYTES = 256 * 1024
const MAX_SHARE_BYTES = 4 * 1024 * 1024
const BACKOFF = { initialMs: 100, maxMs: 5_000 }

interface Asked {
  readonly answer: FetchedBatches
  readonly lease: Lease
  readonly requested: PartitionMap<{ readonly partition: PartitionBackup; readonly offset: number }>
}

/**
 * Reads all partitions that one broker leads, until the signal aborts. The next fetch goes out as soon as the headers of the
 * answer say where it must begin, and is under way while the answer is decoded. One failing partition does not hold up the others.
 */
export async function runFetchLoop(nodeId: number, deps: FetchLoopDeps): Promise<void> {
  const order = new FetchOrder<PartitionBackup>()
  let turn = 0
  let failures = 0
  let next: Promise<Asked | undefined> | undefined
  const { signal, context } = deps
  while (!signal.aborted) {
    let asked: Asked | undefined
    try {
      next ??= ask(nodeId, turn++, order, deps)
      asked = await unlessAborted(next, signal)
      if (signal.aborted) break
      next = undefined
      failures = 0
    } catch (error) {
      next = undefined
      if (signal.aborted) return
      context.log.warn({ broker: nodeId, reason: messageOf(error) }, 'a fetch failed, trying again')
      await context.clock.sleep(backoffMs(BACKOFF, failures++, context.random.number), signal)
      await context.kafka.routes.refresh(topicsOf(deps.partitions()))
      continue
    }
    if (asked === undefined) {
      await context.clock.sleep(IDLE_MS, signal)
      continue
    }
    for (const fetched of asked.answer.partitions) {
      const request = asked.requested.get(fetched)
      request?.partition.announce(fetched, request.offset)
      if (request !== undefined && fetched.records.length > 0) order.served(request.partition)
    }
    next = ask(nodeId, turn++, order, deps)
    next.catch(() => undefined) // looked at in the next turn
    const taken = asked
    await context.vitals.during(`taking in what broker ${nodeId} sent`, () => take(taken, deps))
    await deps.throttle.take(taken.answer.bytes, signal)
  }
  // A broker that hangs may answer late or never: nobody waits for that.
  void next?.then(giveBack, () => undefined)
}

function giveBack(asked: Asked | undefined): void {
  asked?.answer[Symbol.dispose]()
  asked?.lease[Symbol.dispose]()
}

async function take(asked: Asked, { context, memory }: FetchLoopDeps): Promise<void> {
  const { answer, requested } = asked
  try {
    const moved = answer.partitions.filter(({ trouble }) => trouble?.kind === 'moved')
    if (moved.length > 0) await context.kafka.routes.refresh([...new Set(moved.map(({ topic }) => topic))])
    for (const fetched of answer.partitions) {
      const request = requested.get(fetched)
      await request?.partition.take(fetched, request.offset, requested.size === 1)
    }
  } finally {
    giveBack(asked)
    memory.relieve()
  }
}

/** One fetch; undefined when no partition wants anything now. */
async function ask(
  nodeId: number,
  turn: number,
  order: FetchOrder<PartitionBackup>,
  deps: FetchLoopDeps,
): Promise<Asked | undefined> {
  const { context, memory, maxBytes, minBytes, signal } = deps
  const chosen = choose(nodeId, turn, order, deps)
  if (chosen.length === 0) return undefined
  const { vitals } = context
  const room = () => memory.room(maxBytes, signal)
  const lease = await vitals.during(`waiting for memory to fetch from broker ${nodeId}`, room, {
    isExcused: deps.isDiskFull,
  })
  try {
    // Waiting for room may have taken long: what is wanted is asked anew.
    const requests = requestsOf(chosen, maxBytes)
    if (requests.length === 0) {
      lease[Symbol.dispose]()
      return undefined
    }
    // A partition that is asked alone keeps the others waiting: whatever there is of it will do.
    const least = requests[0]?.partition.isProbing === true ? 1 : minBytes
    const options = { isolation: 'committed', maxBytes, minBytes: least, maxWaitMs: MAX_WAIT_MS } as const
    const answer = await vitals.during(`a fetch from broker ${nodeId}`, () =>
      context.kafka.fetcher.fetch(
        nodeId,
        requests.map(({ request }) => request),
        options,
      ),
    )
    lease.resize(answer.bytes)
    const requested = new PartitionMap(
      requests.map(({ partition, request }) => [request, { partition, offset: request.offset }] as const),
    )
    return { answer, lease, requested }
  } catch (error) {
    lease[Symbol.dispose]()
    throw error
  }
}

interface Chosen {
  readonly partition: PartitionBackup
  readonly leader: Leader
}

/** The broker's partitions that want something. */
function choose(
  nodeId: number,
  turn: number,
  order: FetchOrder<PartitionBackup>,
  { context, partitions }: FetchLoopDeps,
): Chosen[] {
  const ready: Chosen[] = []
  for (const partition of order.sorted([...partitions()])) {
    const leader = context.kafka.routes.leader(partition.ownership)
    if (leader?.nodeId === nodeId && partition.wants(leader, 0) !== undefined) ready.push({ partition, leader })
  }
  const probing = ready.filter(({ partition }) => partition.isProbing)
  const probe = probing[(turn >> 1) % Math.max(probing.length, 1)]
  // Every other turn, so that a partition that must be asked alone does not slow the others down.
  if (probe !== undefined && (turn % 2 === 0 || probing.length === ready.length)) return [probe]
  return ready.filter(({ partition }) => !partition.isProbing)
}

function requestsOf(
  chosen: readonly Chosen[],
  maxBytes: number,
): { partition: PartitionBackup; request: FetchPartition }[] {
  const share = Math.min(MAX_SHARE_BYTES, Math.max(MIN_SHARE_BYTES, Math.floor(maxBytes / chosen.length)))
  return chosen.flatMap(({ partition, leader }) => {
    const request = partition.wants(leader, share)
    return request === undefined ? [] : [{ partition, request }]
  })
}

function topicsOf(partitions: Iterable<PartitionBackup>): string[] {
  return [...new Set([...partitions].map(({ ownership }) => ownership.topic))]
}
