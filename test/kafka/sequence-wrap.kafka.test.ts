import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf } from '../helpers/kafka-batches.ts'
import { openClient } from '../helpers/kafka-client.ts'
import { openWorld } from '../helpers/world.ts'

test('a broker goes on from sequence 0 behind 2^31 − 1, in the middle of a batch, and still knows a repeat from a hole', async t => {
  await using world = await openWorld(t)
  const topic = world.name('wraps')
  await world.referee.createTopic(topic, { partitions: 1 })
  await using kafka = openClient(world.bootstrap)
  using appender = kafka.newAppender()
  const producerId = await kafka.admin.newProducerId()
  await kafka.routes.refresh([topic])
  const append = async (baseSequence: number, ...values: string[]) => {
    const batch = batchOf(values, { producerId, baseSequence })
    const answer = await appender.append({ topic, partition: 0, batch, mayWrite: () => true })
    if (answer.kind === 'acknowledged') return answer.baseOffset
    return answer.kind === 'refused' ? answer.trouble.kind : answer.kind
  }
  assert.equal(await append(2 ** 31 - 2, 'a', 'b', 'c'), 0)
  assert.equal(await append(2 ** 31 - 2, 'a', 'b', 'c'), 0, 'a repeat')
  assert.equal(await append(2, 'hole'), 'sequence')
  assert.equal(await append(1, 'd'), 3)
  const records = await world.referee.records(topic)
  assert.deepEqual(
    records.map(({ value }) => Buffer.from(value ?? '', 'hex').toString()),
    ['a', 'b', 'c', 'd'],
  )
})
