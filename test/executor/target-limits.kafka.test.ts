import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kafka } from '../../src/kafka/port.ts'
import { runCommand } from '../helpers/in-process.ts'
import { openClient } from '../helpers/kafka-client.ts'
import type { RecordToSend } from '../helpers/records.ts'
import type { Codec } from '../helpers/referee-types.ts'
import { assertSameDigests, RoundTrip } from '../helpers/round-trip.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** How a target wants its batches, and what must be in its log: source batches are compressed with snappy. */
const targets: readonly {
  readonly wants: string
  readonly limit: number
  readonly codec: Codec
  readonly more?: Readonly<Record<string, string>>
}[] = [
  { wants: 'producer', limit: 1_048_588, codec: 'snappy' },
  { wants: 'producer', limit: 12_000, codec: 'snappy' },
  { wants: 'uncompressed', limit: 1_048_588, codec: 'none' },
  { wants: 'uncompressed', limit: 12_000, codec: 'none' },
  { wants: 'gzip', limit: 12_000, codec: 'gzip' },
  { wants: 'snappy', limit: 12_000, codec: 'snappy' },
  { wants: 'lz4', limit: 12_000, codec: 'lz4' },
  { wants: 'zstd', limit: 1_048_588, codec: 'zstd' },
  // What would change, refuse or delete old records, were the topic not held.
  {
    wants: 'producer',
    limit: 1_048_588,
    codec: 'snappy',
    more: {
      'message.timestamp.type': 'LogAppendTime',
      'message.timestamp.before.max.ms': '3600000',
      'message.timestamp.after.max.ms': '3600000',
      'retention.ms': '1000',
      'retention.bytes': '1',
      'cleanup.policy': 'compact,delete',
    },
  },
  // Smaller than most of the records: each goes alone, compressed.
  { wants: 'zstd', limit: 1_000, codec: 'zstd' },
]

test(
  'targets get batches as they want them, none larger than they take, and the same records',
  { concurrency: 4 },
  async t => {
    await using world = await openWorld(t)
    await using kafka = openClient(world.bootstrap)
    const source = world.name('source')
    await writeSource(world, source)
    const archive = new RoundTrip(world)
    await archive.backUp([source])
    // Each has a plan and a target of its own: they need not wait for each other.
    const checks = targets.map(({ wants, limit, codec, more = {} }, n) => {
      const held = Object.keys(more).length > 0 ? ', and configs that a hold must change' : ''
      return t.test(`compression.type=${wants}, max.message.bytes=${limit}${held}`, async () => {
        const target = world.name(`target-${n}`)
        const configs = { 'compression.type': wants, 'max.message.bytes': limit, ...more }
        await world.referee.createTopic(target, { partitions: 2, configs })
        const roundTrip = new RoundTrip(world, { name: `plan-${n}` })
        await roundTrip.plan(`--rename=${source}=${target}`)
        await roundTrip.restore('--verify=full')
        const read = await assertSameDigests(world, source, target)
        for (const { partition, records } of read) {
          const batches = await batchesOf(kafka, target, partition)
          assert.deepEqual([...new Set(batches.map(batch => batch.codec))], [codec])
          const largest = Math.max(...batches.map(batch => batch.bytes))
          assert.ok(largest <= limit, `a batch of ${largest} bytes`)
          assert.equal(
            batches.reduce((sum, batch) => sum + batch.records, 0),
            records,
          )
          for (const { baseOffset, baseSequence } of batches) assert.equal(baseSequence, baseOffset)
        }
      })
    })
    await Promise.all(checks)
  },
)

test('a record that a target does not take stops its partition before it; the others are restored, by zstd where nothing else makes them fit', async t => {
  await using world = await openWorld(t)
  const source = world.name('source')
  await world.referee.createTopic(source, { partitions: 3, configs: { 'max.message.bytes': 1_000_000 } })
  const small = Array.from({ length: 100 }, (_, n) => ({ value: `${n}`, timestamp: 1_700_000_000_000 + n }))
  const random = { value: world.dice.bytes(20_000), timestamp: 1 }
  for (const partition of [0, 1, 2])
    await world.referee.produce(
      source,
      [...small, ...(partition === 1 ? [random] : []), ...small].map(record => ({ ...record, partition })),
    )
  const roundTrip = new RoundTrip(world)
  const target = roundTrip.target(source)
  await world.referee.createTopic(target, { partitions: 3, configs: { 'max.message.bytes': 10_000 } })
  // The same again, farther behind than any codec looks but one.
  const half = world.dice.bytes(150_000)
  const [first, second] = [half, half].map((value, n) => ({ value, timestamp: n, partition: 0 }))
  const twice = { value: Buffer.concat([half, half]), timestamp: 2, partition: 0 }
  const repeating = (['gzip', 'snappy', 'lz4'] as const).map(codec => ({ codec, topic: world.name(codec) }))
  for (const { codec, topic } of repeating) {
    await world.referee.createTopic(topic, { configs: { 'max.message.bytes': 1_000_000 } })
    await world.referee.createTopic(roundTrip.target(topic), { configs: { 'max.message.bytes': 200_000 } })
    for (const record of [first!, twice, second!]) await world.referee.produce(topic, [record], { codec })
  }
  await roundTrip.backUp([source, ...repeating.map(({ topic }) => topic)])
  const { json: plan } = await roundTrip.plan()
  assert.match(String(plan['warnings']), new RegExp(`${source} holds a record of \\d+ bytes, and ${target} takes`))

  const refused = await runCommand(roundTrip.restoreCommand())
  assert.equal(refused.exit, 3, refused.stderr)
  const [incomplete, ...others] = refused.json['incomplete'] as Record<string, unknown>[]
  assert.deepEqual(
    { ...incomplete, message: undefined },
    {
      topic: target,
      partition: 1,
      recordsPlanned: 201,
      recordsRestored: 100,
      code: 'TARGET_REFUSED',
      message: undefined,
    },
  )
  assert.deepEqual(others, [])
  assert.match(String(incomplete!['message']), /refuses the record with source offset 100: .*raise max\.message\.bytes/)
  assert.match(refused.stderr, /"done":500,"total":601,/)
  const read = await world.referee.read(target, { restored: true })
  assert.deepEqual(
    read.map(({ records, strays }) => [records, strays]),
    [
      [200, 0],
      [100, 0],
      [200, 0],
    ],
  )

  await using kafka = openClient(world.bootstrap)
  for (const { codec, topic } of repeating) {
    await assertSameDigests(world, topic, roundTrip.target(topic))
    const batches = await batchesOf(kafka, roundTrip.target(topic), 0)
    assert.deepEqual(
      batches.map(batch => batch.codec),
      [codec, 'zstd', codec],
    )
  }

  await world.referee.alterConfigs({ topic: target }, { set: { 'max.message.bytes': 100_000 } })
  const { json: restored } = await roundTrip.restore('--retry-quarantined')
  assert.equal(restored['recordsSent'], 101)
  await assertSameDigests(world, source, target)
})

/** Partition 0: records small and large, that compress well; 1: times that no producer writes. */
async function writeSource({ referee, dice }: World, topic: string): Promise<void> {
  const configs = { 'message.timestamp.after.max.ms': '9223372036854775807' }
  await referee.createTopic(topic, { partitions: 2, configs })
  const records: RecordToSend[] = Array.from({ length: 600 }, (_, n) => ({
    timestamp: 1_700_000_000_000 + dice.between(-1_000, 1_000),
    key: n % 5 === 0 ? null : `key ${n}`,
    value: n % 7 === 0 ? null : 'of the same letters '.repeat(dice.between(0, 500)),
    headers: n % 3 === 0 ? [] : [[`h${n % 4}`, n % 2 === 0 ? null : `${n}`]],
  }))
  await referee.produce(topic, records, { codec: 'snappy', batchBytes: 200_000 })
  const times = [-1n, -2n, 0n, -(2n ** 63n), 2n ** 63n - 1n, 1_763_000_000_000_000n]
  await referee.appendRecords(
    topic,
    1,
    times.map((timestamp, n) => ({ timestamp, value: `${n}` })),
    'snappy',
  )
}

interface BatchInLog {
  readonly codec: Codec
  readonly bytes: number
  readonly baseOffset: number
  readonly baseSequence: number
  readonly records: number
}

/** What stands in a partition's log, batch by batch. */
async function batchesOf(kafka: Kafka, topic: string, partition: number): Promise<BatchInLog[]> {
  const place = { topic, partition }
  await kafka.routes.refresh([topic])
  const leader = kafka.routes.leader(place)
  assert.ok(leader !== undefined)
  const all = { isolation: 'uncommitted', maxBytes: 100_000_000, minBytes: 1, maxWaitMs: 1_000 } as const
  const from = { ...place, topicId: leader.topicId, offset: 0, leaderEpoch: -1, maxBytes: all.maxBytes }
  using answer = await kafka.fetcher.fetch(leader.nodeId, [from], all)
  const [{ records, trouble }] = answer.partitions as [(typeof answer.partitions)[number]]
  assert.equal(trouble, undefined)
  const batches: BatchInLog[] = []
  for (let at = 0; at < records.length; at += batches.at(-1)!.bytes) {
    batches.push({
      baseOffset: Number(records.readBigInt64BE(at)),
      bytes: 12 + records.readInt32BE(at + 8),
      codec: codecs[records.readInt16BE(at + 21) & 7]!,
      baseSequence: records.readInt32BE(at + 53),
      records: records.readInt32BE(at + 57),
    })
  }
  return batches
}
