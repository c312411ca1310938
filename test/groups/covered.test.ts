import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCovered } from '../../src/groups/covered.ts'
import { PlannedRecords } from '../../src/groups/planned-records.ts'

const mapping = { targetPrefix: 'copy.', rename: [] }

/** A plan with ten records of one incarnation of orders-0, up to source offset 100, as `copy.orders`. */
function planOf(topicId: string) {
  const planned = new PlannedRecords()
  planned.add({
    source: { topic: 'orders', topicId, partition: 0 },
    records: 10,
    recordsBefore: 0,
    covers: { from: 0, to: 100 },
    slice: undefined,
  })
  const stretchOf: Parameters<typeof isCovered>[1]['stretchOf'] = ({ topic }, source) =>
    topic === 'copy.orders' ? planned.stretchOf(source, 0) : undefined
  return { stretchOf }
}

test('a restoration point is covered when the plan reaches all of its ends', () => {
  const at = (topic: string, topic_id: string, log_start: number, end: number) =>
    isCovered({ partitions: [{ topic, topic_id, partition: 0, log_start, end }] }, planOf('A'), mapping)
  assert.equal(at('orders', 'A', 0, 100), true)
  assert.equal(at('orders', 'A', 0, 101), false)
  assert.equal(at('orders', 'A', 101, 101), true, 'nothing was left of it')
  assert.equal(at('payments', 'A', 0, 100), true, 'the plan has nothing to do with it')
})

test('a point of a time when the topic was another incarnation than the restored one is passed over, unless that was empty', () => {
  const at = (log_start: number, end: number) =>
    isCovered({ partitions: [{ topic: 'orders', topic_id: 'B', partition: 0, log_start, end }] }, planOf('A'), mapping)
  assert.equal(at(0, 5), false)
  assert.equal(at(0, 0), true)
})
