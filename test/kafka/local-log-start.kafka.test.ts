import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClient } from '../helpers/kafka-client.ts'
import { openWorld } from '../helpers/world.ts'

test('a topic without tiered storage begins on its leader’s disk where it begins at all', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 2 })
  await world.referee.generate(topic, { partitions: 2, records: 200 })
  await world.referee.deleteRecords(topic, 0, 70)
  await using kafka = openClient(world.bootstrap)
  const partitions = [0, 1].map(partition => ({ topic, partition }))
  const [starts, locals, ends] = await Promise.all(
    (['log start', 'local log start', 'high watermark'] as const).map(kind => kafka.admin.offsets(kind, partitions)),
  )
  assert.equal(starts!.offsets.get(partitions[0]!), 70)
  assert.deepEqual([...locals!.offsets], [...starts!.offsets])
  assert.deepEqual([...locals!.failed], [])
  assert.equal(
    partitions.reduce((sum, one) => sum + ends!.offsets.get(one)!, 0),
    200,
  )
})
