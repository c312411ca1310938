import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newFetcher } from '../../src/kafka/kafkajs/fetcher.ts'
import type { ClusterView } from '../../src/kafka/kafkajs/cluster-view.ts'
import type { FetchPartition } from '../../src/kafka/port/fetching.ts'
import { fetchCall } from '../../src/kafka/protocol/fetch.ts'
import { LATEST, listOffsetsCall } from '../../src/kafka/protocol/list-offsets.ts'
import { WireWriter } from '../../src/kafka/protocol/wire.ts'

const impossible = [2n ** 53n, 2n ** 63n - 1n, -2n]
const topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
const options = { isolation: 'committed', maxBytes: 1, minBytes: 1, maxWaitMs: 0 } as const

interface Answered {
  readonly highWatermark?: bigint
  readonly lastStable?: bigint
  readonly logStart?: bigint
  readonly abortedFrom?: bigint
  readonly divergesAt?: bigint
  readonly errorCode?: number
}

/** What a broker answers to a fetch of version 13 for partitions of one topic, from 0 on. */
function fetchAnswer(partitions: readonly Answered[]): Buffer {
  const writer = new WireWriter().noTags().int32(0).int16(0).int32(0)
  const topic = ({ highWatermark = 9n, lastStable = 8n, logStart = 7n, ...rest }: Answered, partition: number) => {
    writer
      .int32(partition)
      .int16(rest.errorCode ?? 0)
      .int64(highWatermark)
      .int64(lastStable)
      .int64(logStart)
    const { abortedFrom, divergesAt } = rest
    writer.compactArray(abortedFrom === undefined ? [] : [abortedFrom], from => writer.int64(1).int64(from).noTags())
    writer
      .int32(-1)
      .uvarint(4)
      .raw(Buffer.from([1, 2, 3]))
    if (divergesAt === undefined) writer.noTags()
    else writer.uvarint(1).uvarint(0).uvarint(13).int32(5).int64(divergesAt).noTags()
  }
  writer.compactArray([partitions], of => {
    writer.uuid(topicId).uvarint(of.length + 1)
    for (const [number, one] of of.entries()) topic(one, number)
    writer.noTags()
  })
  return writer.noTags().bytes
}

/** What the fetcher makes of an answer. */
async function fetched(answered: readonly Answered[]) {
  const asked: FetchPartition[] = answered.map((_, partition) => {
    return { topic: 'orders', topicId, partition, offset: 0, leaderEpoch: 1, maxBytes: 1 }
  })
  const connection = {
    version: async () => 13,
    sendForFrame: async () => ({
      payload: fetchAnswer(answered),
      [Symbol.dispose]: () => undefined,
    }),
  }
  const view = { connection: () => connection } as unknown as ClusterView
  return (await newFetcher(view).fetch(1, asked, options)).partitions
}

test('a partition with an offset beyond 2^53 − 1 is an error of its own in a fetch, and the others are answered', async () => {
  for (const offset of impossible)
    for (const field of ['highWatermark', 'lastStable', 'logStart', 'abortedFrom', 'divergesAt']) {
      const [before, bad, after] = await fetched([{}, { [field]: offset }, { abortedFrom: 3n }])
      assert.deepEqual(bad!.trouble, { name: 'CORRUPT_MESSAGE', kind: 'invalid' }, `${field} ${offset}`)
      for (const sound of [before!, after!]) {
        assert.equal(sound.trouble, undefined)
        assert.deepEqual([sound.highWatermark, sound.lastStableOffset, sound.logStartOffset], [9, 8, 7])
        assert.deepEqual([...sound.records], [1, 2, 3])
      }
      assert.equal(after!.aborted[0]!.firstOffset, 3)
    }
})

test('2^53 − 1 and "none" are offsets, and an error of the broker is told before what stands beside it', async () => {
  const [largest, none, denied] = await fetched([
    { highWatermark: 2n ** 53n - 1n, divergesAt: 4n },
    { highWatermark: -1n },
    { highWatermark: -2n, errorCode: 29 },
  ])
  assert.deepEqual([largest!.trouble, largest!.highWatermark], [undefined, 2 ** 53 - 1])
  assert.deepEqual(largest!.diverging, { leaderEpoch: 5, endOffset: 4 })
  assert.deepEqual([none!.trouble, none!.highWatermark], [undefined, -1])
  assert.equal(denied!.trouble?.name, 'TOPIC_AUTHORIZATION_FAILED')
})

test('an answer that ends early is no answer, whatever offset it ends in', () => {
  const call = fetchCall(13, { isolation: 1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 }, [])
  const whole = fetchAnswer([{ highWatermark: -2n }, {}])
  assert.equal(call.decode(whole).partitions.length, 2)
  // Its last byte is an empty tag buffer, which nobody reads.
  for (let end = 0; end < whole.length - 1; end++) assert.throws(() => call.decode(whole.subarray(0, end)), String(end))
})

test('a partition with an offset beyond 2^53 − 1 is an error of its own where logs are asked for their ends', () => {
  const asked = [0, 1, 2].map(partition => ({ topic: 'orders', partition, timestamp: LATEST }))
  for (const offset of impossible) {
    const writer = new WireWriter().noTags().int32(0).uvarint(2).compactString('orders').uvarint(4)
    for (const [partition, end] of [9n, offset, 7n].entries())
      writer.int32(partition).int16(0).int64(-1).int64(end).int32(1).noTags()
    const listed = listOffsetsCall(8, -1, 0, asked).decode(writer.noTags().noTags().bytes)
    assert.deepEqual(
      listed.map(one => [one.errorCode, one.offset]),
      [
        [0, 9],
        [2, -1],
        [0, 7],
      ],
    )
  }
})
