import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'

const empty = answerOf([], { lastStableOffset: 500 })

test('two empty answers to fetches of the partition alone move it over what compaction took', async () => {
  await using lone = await openLonePartition()
  const { partition } = lone
  await partition.take(empty, 0, false)
  assert.ok(partition.isProbing)
  await partition.take(empty, 0, true)
  assert.equal(partition.position, 0)
  await partition.take(answerOf([], { lastStableOffset: 700 }), 0, true)
  assert.equal(partition.position, 500)
})

test('empty answers about offsets in tiered storage skip nothing, however many there are', async () => {
  await using lone = await openLonePartition()
  const { partition, cluster, uploaded } = lone
  cluster.offsets['local log start'] = 400
  for (let n = 0; n < 10; n++) await partition.take(empty, 0, true)
  assert.equal(partition.position, 0)
  // The broker has brought them back.
  await partition.take(answerOf([batchAt(0, 400)], { lastStableOffset: 500 }), 0, true)
  assert.equal(partition.position, 400)
  // What lies behind them is on the leader's disk, and there is nothing of it.
  for (let n = 0; n < 2; n++) await partition.take(empty, 400, true)
  assert.equal(partition.position, 500)
  await partition.flush('the test wants to see it')
  assert.deepEqual(
    uploaded.map(({ from, to, records }) => [from, to, records]),
    [[0, 500, 400]],
  )
})

test('an empty answer of a partition that is read to its end asks for no fetch of its own', async () => {
  await using lone = await openLonePartition()
  const { partition } = lone
  await partition.take(empty, 0, false)
  assert.ok(partition.isProbing)
  await partition.take(answerOf([], { lastStableOffset: 0 }), 0, true)
  assert.equal(partition.isProbing, false)
})

test('a cluster that cannot be asked at the moment stops no partition', async () => {
  await using lone = await openLonePartition()
  const { partition, cluster, stopped } = lone
  cluster.trouble = new MaxbrodError('KAFKA_GAVE_UP', 'no broker answers')
  for (let n = 0; n < 2; n++) await partition.take(empty, 0, true)
  await partition.take(answerOf([], { trouble: 'OFFSET_OUT_OF_RANGE' }), 0, true)
  assert.deepEqual({ position: partition.position, stopped }, { position: 0, stopped: [] })
  cluster.trouble = undefined
  await partition.take(empty, 0, true)
  assert.equal(partition.position, 500)
})
