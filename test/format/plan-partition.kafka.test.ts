import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planPartitionOf } from '../../src/format/plan-partition.ts'
import { openWorld } from '../helpers/world.ts'

test('a chain lies in the plan partition that Kafka’s own producer chooses for its key', async t => {
  await using world = await openWorld(t)
  const lengths = Array.from({ length: 300 }, (_, n) => 1 + (n % 60))
  const keys = lengths.map(
    length =>
      `${Array.from({ length }, () => world.dice.pick('abcXYZ019._-'.split(''))).join('')}-${world.dice.between(0, 2_000)}`,
  )
  for (const partitions of [1, 7, 50]) {
    const topic = world.name(`keys-${partitions}`)
    await world.referee.createTopic(topic, { partitions })
    const places = await world.referee.produce(
      topic,
      keys.map(key => ({ key, partition: -1 })),
    )
    assert.deepEqual(
      places.map(({ partition }) => partition),
      keys.map(key => planPartitionOf(key, partitions)),
    )
  }
})
