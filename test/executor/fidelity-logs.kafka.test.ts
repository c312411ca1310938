import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Generated } from '../helpers/referee-types.ts'
import { compactedTopic } from '../helpers/referee-types.ts'
import { assertBackedUp, assertSameDigests, assertSameRecords, RoundTrip } from '../helpers/round-trip.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const rounds = 3

test('logs of every shape come back as their readers see them', async t => {
  await using world = await openWorld(t)
  const { referee } = world
  const [transactions, compacted, appended, sparse, trimmed, markers] = [
    world.name('transactions'),
    world.name('compacted'),
    world.name('appended'),
    world.name('sparse'),
    world.name('trimmed'),
    world.name('markers'),
  ] as const
  const all = [transactions, compacted, appended, sparse, trimmed, markers]
  const roundTrip = new RoundTrip(world)
  const [committed, survivors] = await Promise.all([
    writeTransactions(world, transactions),
    writeCompacted(world, compacted),
    writeAppended(world, appended),
    writeTrimmed(world, trimmed),
    writeMarkers(world, markers),
  ])
  await referee.createTopic(sparse, { partitions: 5 })
  // Each round ends with files of its own; a worker with another group finds where the one before it ended.
  for (let round = 0; round < rounds; round++) {
    await writeSparse(world, sparse, round)
    await Promise.all(all.map(topic => referee.awaitStable(topic)))
    // How much lies in one file beyond its least size depends on the speed of the disk; records are counted exactly.
    await roundTrip.backUp(all, '--min-file-size=1KiB', '--max-file-records=2000')
  }
  await roundTrip.plan('--plan-partitions=3')
  const { json: restored } = await roundTrip.restore('--verify=full')

  const backup = await assertBackedUp(world, roundTrip, all)
  const partitionsIn = (topic: string) => backup.filter(({ folder }) => folder.startsWith(`${topic}/`))

  await t.test('of transactions: all committed records and no other', async () => {
    const read = await assertSameDigests(world, transactions, roundTrip.target(transactions))
    assert.deepEqual(
      read.map(({ partition, records, content }) => ({ partition, records, content })),
      committed,
    )
    const everything = await referee.read(transactions, { isolation: 'read_uncommitted' })
    assert.ok(everything.every(({ records }, n) => records > read[n]!.records))
  })

  await t.test('of a compacted log: what compaction left, tombstones too, without a gap between', async () => {
    assert.equal(await assertSameRecords(world, compacted, roundTrip.target(compacted)), survivors)
    assert.ok(partitionsIn(compacted)[0]!.records.some(({ value }) => value === null))
  })

  await t.test('of a LogAppendTime topic: the time of the append, as the time of the record', async () => {
    assert.equal(await assertSameRecords(world, appended, roundTrip.target(appended)), 40)
    const types = (await referee.records(appended)).map(({ timestampType }) => timestampType)
    assert.deepEqual([types[0], types[39]], ['CreateTime', 'LogAppendTime'])
    const [partition] = partitionsIn(appended)
    assert.equal(partition!.files[0]!.meta['maxbrod.timestamp.type'], 'mixed')
  })

  await t.test('of a log whose beginning is gone: what is left', async () => {
    assert.equal(await assertSameRecords(world, trimmed, roundTrip.target(trimmed)), 13)
    const [partition] = partitionsIn(trimmed)
    assert.deepEqual([partition!.from, partition!.files.length], [7, 1])
  })

  await t.test('of a topic that holds markers only: a topic without a record', async () => {
    const read = await assertSameDigests(world, markers, roundTrip.target(markers))
    assert.deepEqual(
      read.map(({ records }) => records),
      [0],
    )
    assert.deepEqual(
      partitionsIn(markers).map(({ from, to, files }) => [from, to, files.length]),
      [[0, 4, 1]],
    )
  })

  await t.test(
    'of partitions that are empty, that hold markers only, that end in markers, that are many files',
    async () => {
      const read = await assertSameDigests(world, sparse, roundTrip.target(sparse))
      assert.deepEqual(
        read.map(({ records }) => records),
        [0, 0, 3, 6, 15_000],
      )
      const files = partitionsIn(sparse).map(partition => partition.files)
      assert.deepEqual(
        files.slice(0, 3).map(list => list.map(file => file.records.length)),
        [
          [0, 0, 0],
          [1, 1, 1],
          [3, 0, 3],
        ],
      )
      assert.ok(files[3]!.length > 2 * rounds, `${files[3]!.length} files`)
    },
  )

  await t.test('the result counts them', async () => {
    const counts = await Promise.all(
      all.map(async topic => {
        const read = await referee.read(topic)
        const records = read.reduce((sum, partition) => sum + partition.records, 0)
        const offsets = await referee.offsets(topic)
        const partitions = offsets.filter(({ start, end }) => start !== end).length
        return { topic: roundTrip.target(topic), partitions, recordsPlanned: records, recordsRestored: records }
      }),
    )
    const byTopic = (a: { topic: string }, b: { topic: string }) => (a.topic < b.topic ? -1 : 1)
    assert.deepEqual((restored['topics'] as typeof counts).toSorted(byTopic), counts.toSorted(byTopic))
    assert.equal(
      restored['recordsSent'],
      counts.reduce((sum, { recordsPlanned }) => sum + recordsPlanned, 0),
    )
  })
})

async function writeTransactions({ referee, dice }: World, topic: string): Promise<Generated[]> {
  await referee.createTopic(topic, { partitions: 2 })
  const shape = { partitions: 2, transactions: 40, codec: 'lz4', headers: [0, 3], nullKeyPercent: 10 } as const
  return referee.generateTransactions(topic, { ...shape, seed: dice.between(1, 1_000_000) })
}

/** Every seventh key is unique, the others are written again and again, every third of them as a tombstone. */
async function writeCompacted({ referee }: World, topic: string): Promise<number> {
  await referee.createTopic(topic, { configs: compactedTopic })
  const now = Date.now() - 3_600_000
  const records = Array.from({ length: 300 }, (_, n) => ({
    key: n % 7 === 0 ? `unique ${n}` : `again ${n % 10}`,
    value: n % 3 === 0 ? null : `${n}`,
    timestamp: now + n,
  }))
  await referee.produce(topic, records, { codec: 'zstd', batchBytes: 4_096 })
  // The cleaner leaves the last segment alone: this record begins it.
  await referee.produce(topic, [{ key: 'last', timestamp: now + 60_000 }])
  const survivors = new Set(records.map(({ key }) => key)).size + 1
  await referee.waitCompacted(topic, 0, survivors)
  return survivors
}

/** The type changes in the middle. */
async function writeAppended({ referee }: World, topic: string): Promise<void> {
  await referee.createTopic(topic)
  const records = Array.from({ length: 10 }, (_, n) => ({ key: `${n}`, timestamp: 1_000 + n }))
  await referee.produce(topic, records)
  await referee.alterConfigs({ topic }, { set: { 'message.timestamp.type': 'LogAppendTime' } })
  for (const codec of ['none', 'gzip', 'zstd'] as const) await referee.produce(topic, records, { codec })
}

async function writeTrimmed({ referee }: World, topic: string): Promise<void> {
  await referee.createTopic(topic)
  await referee.produce(
    topic,
    Array.from({ length: 20 }, (_, n) => ({ value: `${n}`, timestamp: n })),
  )
  await referee.deleteRecords(topic, 0, 7)
}

async function writeMarkers(world: World, topic: string): Promise<void> {
  await world.referee.createTopic(topic)
  const producer = await world.referee.openProducer('markers', { transactionalId: world.name('markers') })
  for (let times = 0; times < 2; times++) {
    await producer.begin()
    await producer.send(topic, [{ value: 'aborted' }])
    await producer.abort()
  }
  await producer.close()
}

/**
 * Partition 0 stays empty, 1 gets aborted records only, 2 one record in each round, 3 records and then a transaction that is
 * aborted, in the round between only the latter, and 4 more than fits into one block.
 */
async function writeSparse(world: World, topic: string, round: number): Promise<void> {
  const { referee } = world
  const producer = await referee.openProducer(`sparse-${round}`, { transactionalId: world.name(`sparse-${round}`) })
  const timestamp = 1_700_000_000_000
  const few = ['a', 'b', 'c'].map(value => ({ partition: 3, value, timestamp }))
  await referee.produce(topic, [{ partition: 2, value: `${round}`, timestamp }, ...(round === 1 ? [] : few)])
  const many = Array.from({ length: 5_000 }, (_, n) => ({ partition: 4, value: `${n} `.repeat(250), timestamp }))
  await referee.produce(topic, many, { codec: 'lz4' })
  await producer.begin()
  await producer.send(topic, [
    { partition: 1, value: 'aborted' },
    { partition: 3, value: 'aborted' },
  ])
  await producer.abort()
  await producer.close()
}
