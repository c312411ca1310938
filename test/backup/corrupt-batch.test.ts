import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FetchedPartition } from '../../src/kafka/port/fetching.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'

type Lone = Awaited<ReturnType<typeof openLonePartition>>

function corrupt(from: number, records: number): Buffer {
  const batch = batchAt(from, records)
  batch[batch.length - 1]! ^= 1
  return batch
}

function openWithGaps() {
  return openLonePartition({ options: { onCorrupt: 'gap' } })
}

/** The same answer until it is called corrupt. */
async function takeFourTimes({ partition }: Lone, answer: FetchedPartition, from: number) {
  for (let n = 0; n < 4; n++) await partition.take(answer, from, false)
}

function brings({ cluster }: Lone, answer: FetchedPartition): number[] {
  const asked: number[] = []
  cluster.fetch = offset => {
    asked.push(offset)
    return { partitions: [answer], [Symbol.dispose]: () => undefined }
  }
  return asked
}

test('a batch that stays corrupt becomes a declared gap of exactly its offsets, and reading goes on behind it', async () => {
  await using lone = await openWithGaps()
  const { partition, uploaded, stopped, log } = lone
  const answer = answerOf([batchAt(0, 10), corrupt(10, 5), batchAt(15, 5)])
  await partition.take(answer, 0, false)
  await takeFourTimes(lone, answer, 10)
  assert.equal(partition.position, 15)
  await partition.take(answerOf([batchAt(15, 5)]), 15, false)
  await partition.flush('the test wants to see it')
  assert.deepEqual(stopped, [])
  assert.deepEqual(
    uploaded.map(({ from, to, records, gaps }) => ({ from, to, records, gaps })),
    [
      { from: 0, to: 10, records: 10, gaps: [] },
      { from: 10, to: 20, records: 5, gaps: [{ from: 10, to: 15, reason: 'corrupt-at-source' }] },
    ],
  )
  assert.equal(log.filter(({ level, message }) => level === 'error' && message.includes('corrupt')).length, 1)
})

test('a batch that was damaged on its way is fetched again, and is no gap', async () => {
  await using lone = await openWithGaps()
  const { partition, uploaded, cluster } = lone
  for (let n = 0; n < 3; n++) await partition.take(answerOf([corrupt(0, 10), batchAt(10, 10)]), 0, false)
  await partition.take(answerOf([batchAt(0, 10), batchAt(10, 10)]), 0, false)
  await partition.flush('the test wants to see it')
  assert.equal(cluster.reconnects, 3)
  assert.deepEqual(
    uploaded.map(({ from, to, gaps }) => ({ from, to, gaps })),
    [{ from: 0, to: 20, gaps: [] }],
  )
})

test('the end of a corrupt batch in a segment of its own is asked for', async () => {
  await using lone = await openWithGaps()
  const asked = brings(lone, answerOf([batchAt(10, 5)]))
  await takeFourTimes(lone, answerOf([corrupt(0, 10)]), 0)
  assert.deepEqual([asked, lone.partition.position], [[10], 10])
})

test('a corrupt batch at the very end of the log is a gap up to it', async () => {
  await using lone = await openWithGaps()
  brings(lone, answerOf([], { lastStableOffset: 10 }))
  await takeFourTimes(lone, answerOf([corrupt(0, 10)], { lastStableOffset: 10 }), 0)
  assert.equal(lone.partition.position, 10)
  await lone.partition.flush('the test wants to see it')
  assert.deepEqual(lone.uploaded[0]?.gaps, [{ from: 0, to: 10, reason: 'corrupt-at-source' }])
})

test('corrupt batches in a row are gaps one after the other', async () => {
  await using lone = await openWithGaps()
  await takeFourTimes(lone, answerOf([corrupt(0, 10), corrupt(10, 5), batchAt(15, 5)]), 0)
  await takeFourTimes(lone, answerOf([corrupt(10, 5), batchAt(15, 5)]), 10)
  assert.equal(lone.partition.position, 15)
  await lone.partition.flush('the test wants to see it')
  assert.deepEqual(
    lone.uploaded.flatMap(({ gaps }) => gaps.map(({ from, to }) => [from, to])),
    [
      [0, 10],
      [10, 15],
    ],
  )
})

test('a cluster that cannot be asked what lies behind is asked again, and stops nothing', async () => {
  await using lone = await openWithGaps()
  const { partition, cluster, stopped } = lone
  cluster.fetch = () => {
    throw new Error('no connection')
  }
  const answer = answerOf([corrupt(0, 10)])
  await takeFourTimes(lone, answer, 0)
  assert.deepEqual([partition.position, stopped], [0, []])
  brings(lone, answerOf([batchAt(10, 5)]))
  await partition.take(answer, 0, false)
  assert.equal(partition.position, 10)
})

for (const [what, lone, answer] of [
  ['without --on-corrupt gap', () => openLonePartition(), answerOf([corrupt(0, 10), batchAt(10, 5)])],
  ['whose end nobody can tell', openWithGaps, answerOf([corrupt(0, 10), batchAt(3, 5)])],
] as const) {
  test(`a corrupt batch ${what} stops its partition, and what was read before is kept`, async () => {
    await using opened = await lone()
    const { partition, stopped, committed } = opened
    await takeFourTimes(opened, answer, 0)
    assert.equal(partition.position, 0)
    assert.ok(isMaxbrodError(stopped[0], 'BATCH_CORRUPT'))
    assert.deepEqual(committed, [])
  })
}
