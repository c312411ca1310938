import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'

const leader = { nodeId: 1, leaderEpoch: 7, topicId: undefined }
const epochAsked = (partition: Awaited<ReturnType<typeof openLonePartition>>['partition']) =>
  partition.wants(leader, 1_000)?.lastFetchedEpoch

test('each fetch says whose records came before it: of the chain at first, then of the last batch', async () => {
  await using lone = await openLonePartition({ resume: { chainEnd: 10, leaderEpoch: 3 } })
  const { partition } = lone
  assert.equal(epochAsked(partition), 3)
  const answer = answerOf([batchAt(10, 5, { leaderEpoch: 4 }), batchAt(15, 5, { leaderEpoch: 6 })])
  partition.announce(answer, 10)
  assert.equal(epochAsked(partition), 6) // before a record was decoded
  await partition.take(answer, 10, false)
  assert.equal(epochAsked(partition), 6)
})

test('behind offsets that nobody showed, no epoch is known, and none is claimed', async () => {
  await using lone = await openLonePartition({ resume: { leaderEpoch: 3 } })
  const { partition } = lone
  for (let n = 0; n < 2; n++) await partition.take(answerOf([], { lastStableOffset: 50 }), 0, true)
  assert.equal(partition.position, 50)
  assert.equal(epochAsked(partition), -1)
})

test('a log of another history ends the reading at once, and is told once', async () => {
  await using lone = await openLonePartition({ resume: { chainEnd: 10, leaderEpoch: 3 } })
  const { partition, diverged, stopped } = lone
  await partition.take(answerOf([batchAt(10, 5, { leaderEpoch: 4 })]), 10, false)
  const other = { ...answerOf([]), diverging: { leaderEpoch: 3, endOffset: 8 } }
  await partition.take(other, 15, false)
  await partition.take(other, 15, false)
  assert.deepEqual(diverged, [{ asked: { offset: 15, leaderEpoch: 4 }, leaderEpoch: 3, endOffset: 8 }])
  assert.equal(partition.wants(leader, 1_000), undefined)
  assert.deepEqual(stopped, [])
})

test('a partition that is at its end asks once whether the log still has it, and takes nothing of the answer', async () => {
  await using lone = await openLonePartition({ resume: { chainEnd: 10, leaderEpoch: 3 } })
  const { partition } = lone
  partition.endAt(10)
  assert.equal(partition.isChecked, false)
  assert.equal(epochAsked(partition), 3)
  await partition.take(answerOf([batchAt(10, 5)]), 10, false)
  assert.equal(partition.isChecked, true)
  assert.deepEqual([partition.position, partition.wants(leader, 1_000)], [10, undefined])
})

test('where nothing is known of the chain, nothing is asked', async () => {
  await using lone = await openLonePartition({ resume: { chainEnd: 10 } })
  lone.partition.endAt(10)
  assert.equal(lone.partition.isChecked, true)
  assert.equal(lone.partition.wants(leader, 1_000), undefined)
})

test('a broker that does not know the epoch is asked without, and nothing that was read is lost', async () => {
  await using lone = await openLonePartition({ resume: { leaderEpoch: 3 } })
  const { partition, cluster, uploaded } = lone
  cluster.offsets['high watermark'] = 100
  await partition.take(answerOf([batchAt(0, 5, { leaderEpoch: 4 })]), 0, false)
  await partition.take(answerOf([], { trouble: 'OFFSET_OUT_OF_RANGE' }), 5, false)
  lone.clock.advance(1_000)
  assert.equal(epochAsked(partition), -1)
  await partition.take(answerOf([batchAt(5, 5, { leaderEpoch: 4 })]), 5, false)
  await partition.flush('the test wants to see it')
  assert.deepEqual(
    uploaded.map(({ from, to, records }) => [from, to, records]),
    [[0, 10, 10]],
  )
})
