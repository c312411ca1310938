import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newFetcher } from '../../src/kafka/kafkajs/fetcher.ts'
import { readRecords, readSourceOffsets } from '../../src/kafka/kafkajs/read-records.ts'
import type { BatchFetcher, FetchPartition } from '../../src/kafka/port/fetching.ts'
import { openClusterView } from '../helpers/cluster-view.ts'
import { openWorld } from '../helpers/world.ts'

const live = new AbortController().signal

test('one empty answer takes nothing from a reader, neither records nor their source offsets', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.produce(topic, records(0, 20))
  using view = openClusterView(world.bootstrap)
  const where = { topic, partition: 0 }
  const hiccup = new Emptied(newFetcher(view), n => n === 1)
  const read = await Array.fromAsync(readRecords(view, hiccup, where, 0, 20, live))
  assert.deepEqual(offsetsOf(read), range(0, 20))
  assert.equal(hiccup.emptied, 1)
  const again = new Emptied(newFetcher(view), n => n === 1)
  const found = await readSourceOffsets(view, again, where, 5, 20, live)
  assert.ok(found.some(({ offset }) => offset === 5))
  assert.equal(again.emptied, 1)
})

test('what is not on the disk of the leader is asked for until it comes', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.produce(topic, records(0, 20))
  await world.referee.deleteRecords(topic, 0, 12)
  using view = openClusterView(world.bootstrap)
  // A slow tier answers nothing at first. The batch that holds 12, which is where the disk begins, holds all that it has.
  const tier = new Emptied(newFetcher(view), n => n <= 5, 12)
  const read = await Array.fromAsync(readRecords(view, tier, { topic, partition: 0 }, 0, 20, live))
  assert.deepEqual(offsetsOf(read), range(0, 20))
  assert.equal(tier.emptied, 5)
})

test('a log is read to its end: over aborted transactions and markers, and where compaction left nothing', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  const producer = await world.referee.openProducer(topic, { transactionalId: topic })
  const steps = [
    () => producer.commit(), //         0 to 4, and a marker at 5
    () => producer.abort(), //          6 to 10, and a marker at 11
  ]
  for (const end of steps) {
    await producer.begin()
    await producer.send(topic, records(0, 5))
    await end()
  }
  await producer.close()
  await world.referee.awaitStable(topic)
  using view = openClusterView(world.bootstrap)
  const where = { topic, partition: 0 }
  const fetcher = newFetcher(view)
  const all = await Array.fromAsync(readRecords(view, fetcher, where, 0, 12, live))
  assert.deepEqual(offsetsOf(all), [...range(0, 5), ...range(6, 11)])
  assert.deepEqual(await readSourceOffsets(view, fetcher, where, 11, 12, live), [], 'only a marker is there')

  const compacted = new Emptied(fetcher, (_, { offset }) => offset >= 6)
  const left = await Array.fromAsync(readRecords(view, compacted, where, 6, 12, live))
  assert.deepEqual(left, [])
  assert.equal(compacted.emptied, 2)
})

/** A leader that answers some fetches with nothing, and says by its high watermark that there is something. */
class Emptied implements BatchFetcher {
  /** Answers that were emptied. */
  emptied = 0
  readonly #fetcher: BatchFetcher
  readonly #isEmpty: (n: number, asked: FetchPartition) => boolean
  readonly #from: number

  /** `from`: where the log begins that is asked instead. */
  constructor(fetcher: BatchFetcher, isEmpty: (n: number, asked: FetchPartition) => boolean, from = 0) {
    this.#fetcher = fetcher
    this.#isEmpty = isEmpty
    this.#from = from
  }

  fetch: BatchFetcher['fetch'] = async (nodeId, partitions, options) => {
    const isEmpty = partitions.some(asked => this.#isEmpty(this.emptied + 1, asked))
    const asked = partitions.map(one => ({ ...one, offset: Math.max(one.offset, this.#from) }))
    const answer = await this.#fetcher.fetch(nodeId, asked, options)
    if (!isEmpty) return answer
    this.emptied++
    return {
      partitions: answer.partitions.map(one => ({ ...one, records: Buffer.alloc(0) })),
      bytes: answer.bytes,
      [Symbol.dispose]: () => answer[Symbol.dispose](),
    }
  }

  reconnect(nodeId: number): void {
    this.#fetcher.reconnect(nodeId)
  }
}

function records(from: number, to: number) {
  return range(from, to).map(n => ({ partition: 0, key: `k${n}`, value: `v${n}` }))
}

function offsetsOf(read: readonly { readonly offset: number }[]): number[] {
  return read.map(({ offset }) => offset)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n)
}
