import { Vitals } from '../../src/observe/vitals.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runFetchLoop } from '../../src/backup/fetch-loop.ts'
import type { FetchLoopDeps } from '../../src/backup/fetch-loop.ts'
import { WorkerMemory } from '../../src/backup/memory.ts'
import type { BlockHolder } from '../../src/backup/memory.ts'
import type { PartitionBackup } from '../../src/backup/partition/partition.ts'
import type { FetchOptions } from '../../src/kafka/port/fetching.ts'
import type { Lease } from '../../src/runtime/byte-budget.ts'
import { unthrottled } from '../../src/runtime/throttle.ts'
import { answerOf, batchAt } from '../helpers/lone-partition.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const MIB = 1024 * 1024
const ownership = { topic: 'orders', partition: 0, ended: new AbortController().signal }

/** A loop over one partition, whose answers take `openBytes` and become open blocks of as many; ends after `fetches`. */
async function run(fetches: number, openBytes: number, isProbing = false): Promise<FetchOptions[]> {
  const memory = new WorkerMemory(16 * MIB)
  const end = new AbortController()
  const asked: FetchOptions[] = []
  let open: Lease | undefined
  const holder: BlockHolder = {
    get openBytes() {
      return open?.bytes ?? 0
    },
    sealOpenBlock() {
      open?.[Symbol.dispose]()
      open = undefined
    },
  }
  memory.join(holder)
  const partition = {
    ownership,
    isProbing,
    wants: () => ({ ...ownership, topicId: undefined, offset: 0, leaderEpoch: 0, maxBytes: MIB }),
    announce: () => undefined,
    take() {
      open ??= memory.budget.grant(openBytes)
      return Promise.resolve()
    },
  }
  const kafka = {
    routes: { leader: () => ({ nodeId: 1, leaderEpoch: 0, topicId: undefined }) },
    fetcher: {
      fetch(_node: number, _partitions: unknown, options: FetchOptions) {
        asked.push(options)
        if (asked.length === fetches) end.abort()
        return Promise.resolve({ partitions: [answerOf([])], bytes: openBytes, [Symbol.dispose]: () => undefined })
      },
    },
  }
  const clock = new ManualClock()
  await runFetchLoop(1, {
    context: { kafka, clock, vitals: new Vitals(clock) } as unknown as FetchLoopDeps['context'],
    memory,
    throttle: unthrottled,
    isDiskFull: () => false,
    partitions: () => [partition as unknown as PartitionBackup],
    maxBytes: MIB,
    minBytes: 64 * 1024,
    signal: end.signal,
  })
  return asked
}

test(
  'a fetch that waits for memory gets what the answer before it has become, at once',
  { timeout: 120_000 },
  async () => {
    // Nothing but the loop itself can close the block: time stands still.
    assert.equal((await run(10, 12 * MIB)).length, 10)
  },
)

test('a partition that must be asked alone does not make the others wait until it has much to say', async () => {
  assert.deepEqual([...new Set((await run(4, MIB, true)).map(({ minBytes }) => minBytes))], [1])
  assert.deepEqual([...new Set((await run(4, MIB)).map(({ minBytes }) => minBytes))], [64 * 1024])
})

test('where answers are always full, every partition gets its turn: none waits while another gets two', async () => {
  const [count, perAnswer, fetches] = [50, 4, 100]
  const served = Array.from({ length: count }, () => 0)
  const end = new AbortController()
  let asked = 0
  let unevenness = 0
  const partitions = served.map((_, partition) => {
    const own = { ...ownership, partition }
    const wants = () => ({ ...own, topicId: undefined, offset: served[partition]!, leaderEpoch: 0, maxBytes: MIB })
    const rest = { announce: () => undefined, take: () => Promise.resolve(), isProbing: false }
    return { ownership: own, wants, ...rest } as unknown as PartitionBackup
  })
  const kafka = {
    routes: { leader: () => ({ nodeId: 1, leaderEpoch: 0, topicId: undefined }) },
    fetcher: {
      /** As brokers do it: in the order asked, until the answer is full. */
      fetch(_node: number, wanted: readonly { partition: number }[]) {
        if (++asked === fetches) end.abort()
        unevenness = Math.max(unevenness, Math.max(...served) - Math.min(...served))
        const answers = wanted.map(({ partition }, n) => {
          if (n < perAnswer) served[partition]!++
          return { ...answerOf(n < perAnswer ? [batchAt(0, 1)] : []), partition }
        })
        return Promise.resolve({ partitions: answers, bytes: 1, [Symbol.dispose]: () => undefined })
      },
    },
  }
  const clock = new ManualClock()
  await runFetchLoop(1, {
    context: { kafka, clock, vitals: new Vitals(clock) } as unknown as FetchLoopDeps['context'],
    memory: new WorkerMemory(16 * MIB),
    throttle: unthrottled,
    isDiskFull: () => false,
    partitions: () => partitions,
    maxBytes: MIB,
    minBytes: 1,
    signal: end.signal,
  })
  assert.equal(asked, fetches)
  assert.equal(unevenness, 1)
})
