import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from './eventually.ts'
import type { CanonicalRecord, RecordToSend } from './records.ts'
import { contentOf, RecordDigest } from './records.ts'
import { Referee } from './referee.ts'
import type { Codec } from './referee-types.ts'
import { compactedTopic } from './referee-types.ts'
import { openWorld } from './world.ts'

const oddRecords = [
  { timestamp: 1, key: null, value: null },
  { timestamp: 2, key: '', value: '' },
  { timestamp: 3, key: 'k', value: 'x'.repeat(100_000) },
  {
    timestamp: 4,
    headers: [
      ['a', '1'],
      ['b', null],
      ['a', ''],
      ['10', 'x'],
      ['9', 'y'],
    ],
  },
  {
    timestamp: 5,
    headers: [
      ['', 'no name'],
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['žluťoučký', '🐴'],
    ],
  },
  { timestamp: 0, key: Buffer.from([0, 0, 0, 0]), value: Buffer.from([0xff, 0xfe]) },
] as const satisfies (RecordToSend & { timestamp: number })[]

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies Codec[]) {
  test(`odd records come back as they were sent, in a ${codec} batch`, async t => {
    await using world = await openWorld(t)
    const { topicId } = await world.referee.createTopic(world.name('odd'), { partitions: 1 })
    assert.match(topicId, /^[\w-]{22}$/)
    await world.referee.produce(world.name('odd'), oddRecords, { codec })
    const records = await world.referee.records(world.name('odd'))
    assert.deepEqual(records.map(contentOnly), oddRecords.map(contentOf))
    assert.deepEqual(
      records.map(record => record.offset),
      ['0', '1', '2', '3', '4', '5'],
    )
  })
}

test('timestamps of any 64 bits and header names of any bytes get in as raw batches', async t => {
  await using world = await openWorld(t)
  const topic = world.name('raw')
  await world.referee.createTopic(topic, { configs: { 'message.timestamp.after.max.ms': `${2n ** 63n - 1n}` } })
  const records = [-1n, 0n, -2n, -(2n ** 63n), 2n ** 63n - 1n].map(timestamp => ({
    timestamp,
    headers: [
      [Buffer.from([0xff, 0x00, 0xc3]), 'v'],
      ['', null],
    ] as const,
  }))
  // One batch each: within one, a difference of timestamps must fit into 64 bits.
  for (const record of records) await world.referee.appendRecords(topic, 0, [record], 'zstd')
  assert.deepEqual((await world.referee.records(topic)).map(contentOnly), records.map(contentOf))
})

test('150,000 tiny records fit into one batch', async t => {
  await using world = await openWorld(t)
  const topic = world.name('tiny')
  await world.referee.createTopic(topic)
  const records = Array.from({ length: 150_000 }, (_, index) => ({ timestamp: index, value: `${index % 10}` }))
  const places = await world.referee.produce(topic, records, { codec: 'zstd', batchBytes: 16 * 1024 * 1024 })
  assert.equal(places.length, 150_000)
  const [read] = await world.referee.read(topic)
  assert.deepEqual([read?.records, read?.last, read?.end], [150_000, '149999', '150000'])
})

test('the digests are those that records.ts computes', async t => {
  await using world = await openWorld(t)
  const topic = world.name('digest')
  await world.referee.createTopic(topic)
  const records = [
    { timestamp: 1n, key: Buffer.from('a'), value: null, headers: [[Buffer.from('h'), null]] as const },
    { timestamp: 2n, key: null, value: Buffer.from('b'), headers: [] },
  ]
  await world.referee.produce(topic, records)
  const digest = new RecordDigest()
  records.forEach((record, index) => digest.add({ offset: BigInt(index), ...record }))
  const [read] = await world.referee.read(topic)
  assert.deepEqual({ digest: read?.digest, content: read?.content }, digest.values())
})

test('a restored topic has the digest of its source', async t => {
  await using world = await openWorld(t)
  const source = world.name('source')
  const target = world.name('target')
  await world.referee.createTopic(source)
  await world.referee.createTopic(target)
  const records = [
    { timestamp: 1, value: 'aborted' },
    { timestamp: 2, value: 'a', headers: [['h', 'x']] },
    { timestamp: 3 },
  ] as const
  await world.referee.produce(source, records)
  await world.referee.deleteRecords(source, 0, 1)
  const copies = records.map((record, index) => ({
    ...record,
    headers: [...('headers' in record ? record.headers : []), ['restore.source-offset', `${index}`] as const],
  }))
  await world.referee.produce(target, copies.slice(1))
  const [sourceRead] = await world.referee.read(source)
  const [targetRead] = await world.referee.read(target, { restored: true })
  assert.deepEqual(
    [sourceRead?.first, targetRead?.first, targetRead?.sourceFirst, targetRead?.strays],
    ['1', '0', '1', 0],
  )
  assert.equal(targetRead?.digest, sourceRead?.digest)
})

test('a transaction that is open when a referee goes stays open at the broker', async t => {
  await using world = await openWorld(t)
  const topic = world.name('left-open')
  await world.referee.createTopic(topic)
  {
    await using leaving = Referee.start(world.bootstrap)
    const member = { 'session.timeout.ms': 1_000, 'heartbeat.interval.ms': 200 }
    await leaving.openConsumer(topic, [topic], { settings: member })
    const producer = await leaving.openProducer('p', { transactionalId: topic })
    await producer.begin()
    await producer.send(topic, [{ value: 'a' }])
  }
  await eventually('its member is gone, and with it all else', async () =>
    (await world.referee.listGroups()).some(({ group, state }) => group === topic && state === 'Empty'),
  )
  const [at] = await world.referee.offsets(topic)
  assert.deepEqual([at?.lastStable, at?.end], ['0', '1'])
})

test('overlapping transactions: readers find what was committed, and nothing behind an open one', async t => {
  await using world = await openWorld(t)
  const topic = world.name('transactions')
  await world.referee.createTopic(topic, { partitions: 2 })
  const expected = await world.referee.generateTransactions(topic, {
    partitions: 2,
    transactions: 40,
    seed: world.dice.between(1, 1_000_000),
    headers: [0, 3],
    codec: 'lz4',
  })
  await world.referee.awaitStable(topic)
  const read = await world.referee.read(topic)
  assert.deepEqual(
    read.map(({ partition, records, content }) => ({ partition, records, content })),
    expected,
  )
  const all = await world.referee.read(topic, { isolation: 'read_uncommitted' })
  assert.ok(all[0]!.records > read[0]!.records, 'some were aborted')

  const producer = await world.referee.openProducer('open', { transactionalId: world.name('open') })
  await producer.begin()
  await producer.send(topic, [{ partition: 0, value: 'undecided' }])
  await world.referee.produce(topic, [{ partition: 0, value: 'behind it' }])
  const [offsets] = await world.referee.offsets(topic)
  assert.equal(BigInt(offsets!.end) - BigInt(offsets!.lastStable), 2n)
  await producer.abort()
  assert.equal((await world.referee.records(topic)).at(-1)?.partition, 1)
})

test('what was generated is what is read, and the seed decides what that is', async t => {
  await using world = await openWorld(t)
  const shape = {
    partitions: 3,
    records: 3_000,
    seed: world.dice.between(1, 1_000_000),
    timestampFrom: 1_700_000_000_000,
    timestampJitter: 5_000,
    nullKeyPercent: 10,
    tombstonePercent: 10,
    valueBytes: [0, 2_000],
    headers: [0, 4],
    codec: 'snappy',
  } as const
  const written = []
  for (const word of ['once', 'again']) {
    const topic = world.name(word)
    await world.referee.createTopic(topic, { partitions: 3 })
    written.push(await world.referee.generate(topic, shape))
    const read = await world.referee.read(topic)
    assert.deepEqual(
      read.map(({ partition, records, content }) => ({ partition, records, content })),
      written.at(-1),
    )
  }
  assert.deepEqual(written[1], written[0])
  const even = world.name('even')
  await world.referee.createTopic(even, { partitions: 3 })
  const each = await world.referee.generate(even, { ...shape, records: 30, isEven: true })
  assert.deepEqual(
    each.map(({ records }) => records),
    [10, 10, 10],
  )
})

test('topics grow, and their settings change', async t => {
  await using world = await openWorld(t)
  const topic = world.name('growing')
  await world.referee.createTopic(topic)
  await world.referee.addPartitions(topic, 3)
  await world.referee.alterConfigs({ topic }, { set: { 'retention.ms': 7, 'cleanup.policy': 'compact' } })
  await world.referee.alterConfigs({ topic }, { remove: ['cleanup.policy'] })
  // The controller answers before the broker has heard of it.
  await eventually('the broker knows', async () => {
    const { partitions, configs } = await world.referee.describeTopic(topic)
    assert.equal(partitions.length, 3)
    assert.deepEqual(configs, { 'retention.ms': '7' })
    return true
  })
})

test('the cleaner leaves gaps that a test can wait for', async t => {
  await using world = await openWorld(t)
  const topic = world.name('compacted')
  await world.referee.createTopic(topic, { configs: compactedTopic })
  const records = Array.from({ length: 50 }, (_, index) => ({ key: `${index % 5}`, value: `${index}` }))
  await world.referee.produce(topic, records)
  // The cleaner leaves the last segment alone; this record, later than segment.ms, begins the next one.
  await new Promise(resolve => setTimeout(resolve, 150))
  await world.referee.produce(topic, [{ key: 'last' }])
  const { records: left } = await world.referee.waitCompacted(topic, 0, 6)
  assert.equal(left, 6)
  assert.deepEqual(
    (await world.referee.records(topic)).map(record => record.offset),
    ['45', '46', '47', '48', '49', '50'],
  )
})

test('group offsets come back as committed', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  const group = world.name('billing')
  await world.referee.createTopic(topic, { partitions: 2 })
  await world.referee.commitOffsets(group, [
    { topic, partition: 0, offset: 7, metadata: 'note', leaderEpoch: 3 },
    { topic, partition: 1, offset: 0 },
  ])
  assert.deepEqual(await world.referee.groupOffsets(group), [
    { topic, partition: 0, offset: '7', metadata: 'note', leaderEpoch: 3 },
    { topic, partition: 1, offset: '0', metadata: '', leaderEpoch: null },
  ])
  assert.ok((await world.referee.listGroups()).some(entry => entry.group === group && entry.state === 'Empty'))
  await world.referee.deleteGroup(group)
})

test('a refusal of Kafka is an error with the name of its class', async t => {
  await using world = await openWorld(t)
  await world.referee.createTopic(world.name('twice'))
  await assert.rejects(world.referee.createTopic(world.name('twice')), { type: 'TopicExistsException' })
  await world.referee.deleteTopic(world.name('twice'))
  await world.referee.createTopic(world.name('twice'))
})

function contentOnly({ timestamp, key, value, headers }: CanonicalRecord) {
  return { timestamp, key, value, headers }
}
