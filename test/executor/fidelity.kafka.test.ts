import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readGolden } from '../helpers/golden.ts'
import { oddRecordKinds } from '../helpers/odd-records.ts'
import { assertBackedUp, assertSameDigests, assertSameRecords, RoundTrip } from '../helpers/round-trip.ts'
import { openWorld } from '../helpers/world.ts'

/** What sources need for Kafka to take what is in them: any time, and large records. */
const takesAnything = {
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.after.max.ms': '9223372036854775807',
  'max.message.bytes': 16 * 1024 * 1024,
} as const

/** The batches without gaps, of no producer: those that a broker takes as they are, once they begin at offset 0. */
const goldens = readGolden().filter(
  ({ batches: [batch, ...others], aborted }) =>
    batch!.magic === 2 &&
    others.length === 0 &&
    aborted === undefined &&
    batch!.count > 0 &&
    Number(batch!.lastOffset) - Number(batch!.baseOffset) === batch!.count - 1 &&
    batch!.producerId === '-1' &&
    batch!.timestampType === 'CreateTime',
)

test('whatever Kafka accepts comes back as it was, with one header more', async t => {
  await using world = await openWorld(t)
  const kinds = oddRecordKinds(world.dice)
  const topics = kinds.map(({ name }) => world.name(name))
  await Promise.all(
    kinds.map(async ({ batches }, n) => {
      await world.referee.createTopic(topics[n]!, { configs: takesAnything })
      for (const { records, codec } of batches) await world.referee.appendRecords(topics[n]!, 0, records, codec)
    }),
  )
  const golden = world.name('golden')
  await world.referee.createTopic(golden, { partitions: goldens.length, configs: takesAnything })
  await Promise.all(goldens.map(({ bytes }, partition) => world.referee.append(golden, partition, atOffset0(bytes))))

  const roundTrip = new RoundTrip(world)
  await roundTrip.backUp([...topics, golden])
  await roundTrip.plan()
  await roundTrip.restore('--verify=full')

  for (const [n, { title, batches }] of kinds.entries()) {
    await t.test(title, async () => {
      const written = batches.reduce((sum, { records }) => sum + records.length, 0)
      assert.equal(await assertSameRecords(world, topics[n]!, roundTrip.target(topics[n]!)), written)
    })
  }
  await t.test('batches of every codec, as other clients write them', async () => {
    const read = await assertSameDigests(world, golden, roundTrip.target(golden))
    assert.deepEqual(
      read.map(({ content }) => content),
      goldens.map(({ batches }) => batches[0]!.content),
    )
    const names = goldens.map(({ name }) => name)
    for (const name of ['none-tiny', 'gzip-tiny', 'snappy-tiny', 'snappy-raw', 'lz4-tiny', 'zstd-tiny', 'zstd-large'])
      assert.ok(names.includes(name), `${name} is among ${names.join()}`)
    assert.equal(goldens.find(({ name }) => name === 'zstd-tiny')!.batches[0]!.count, 200_000)
  })
  await t.test('every file opens in avsc, holds the records of its source, and joins its neighbours', async () => {
    const backup = await assertBackedUp(world, roundTrip, [...topics, golden])
    assert.equal(backup.length, topics.length + goldens.length)
  })
})

/** The base offset is no part of what the checksum covers. */
function atOffset0(bytes: Buffer): Buffer {
  const batch = Buffer.from(bytes)
  batch.writeBigInt64BE(0n, 0)
  return batch
}
