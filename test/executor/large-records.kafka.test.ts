import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSameDigests, RoundTrip } from '../helpers/round-trip.ts'
import { openWorld } from '../helpers/world.ts'

test('records larger than the memory that each command may take come back, too', async t => {
  await using world = await openWorld(t)
  const source = world.name('large')
  const limit = 32 * 1024 * 1024
  await world.referee.createTopic(source, { partitions: 2, configs: { 'max.message.bytes': limit } })
  const shape = { partitions: 2, codec: 'lz4', batchBytes: 1_000 } as const
  await world.referee.generate(source, { ...shape, records: 3, valueBytes: [18_000_000, 22_000_000] })
  await world.referee.generate(source, { ...shape, records: 1_000 })
  const roundTrip = new RoundTrip(world)
  const memory = '--memory=16MiB'
  await roundTrip.backUp([source], memory)
  await roundTrip.plan()
  const { json } = await roundTrip.restore(memory, '--verify=full')
  assert.equal(json['recordsSent'], 1_003)
  await assertSameDigests(world, source, roundTrip.target(source))
})
