import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlannedRecords } from '../../src/groups/planned-records.ts'

const orders = { topic: 'orders', topicId: 'A', partition: 0 }

/** A chain of files with ten records each, by the source that each is from. */
function chainOf(sources: readonly { topic: string; topicId: string | undefined; partition: number }[]) {
  const planned = new PlannedRecords()
  for (const [n, source] of sources.entries())
    planned.add({
      source,
      records: 10,
      recordsBefore: n * 10,
      covers: { from: n * 20, to: n * 20 + 20 },
      slice: undefined,
    })
  return planned
}

test('saved offsets are looked for among the records of their own incarnation, or of the last one if nothing names it', () => {
  const again = { ...orders, topicId: 'B' }
  const unnamed = { ...orders, topicId: undefined }
  const twice = chainOf([orders, orders, again])
  const [first, second] = [
    { from: 100, to: 120, coverEnd: 40 },
    { from: 120, to: 130, coverEnd: 60 },
  ]
  assert.deepEqual(twice.stretchOf(orders, 100), first)
  assert.deepEqual(twice.stretchOf(again, 100), second)
  assert.deepEqual(twice.stretchOf(unnamed, 100), second)
  assert.equal(twice.stretchOf({ ...orders, topicId: 'C' }, 100), 'another incarnation')
  assert.deepEqual(chainOf([unnamed, unnamed]).stretchOf(orders, 0), { from: 0, to: 20, coverEnd: 40 })
})

test('no offset means anything where records of two partitions, or of another one, were restored', () => {
  const other = { ...orders, partition: 1 }
  assert.equal(chainOf([orders, other]).stretchOf(orders, 0), 'mixed')
  assert.equal(chainOf([other]).stretchOf(orders, 0), 'mixed')
})

test('a partition without files has nothing planned, and a slice covers no more than itself', () => {
  assert.deepEqual(chainOf([]).stretchOf(orders, 7), { from: 7, to: 7, coverEnd: undefined })
  const cut = chainOf([orders])
  const slice = { fromOffset: 20, toOffset: 25 }
  cut.add({ source: orders, records: 5, recordsBefore: 10, covers: { from: 20, to: 40 }, slice })
  assert.deepEqual(cut.stretchOf(orders, 0), { from: 0, to: 15, coverEnd: 25 })
})

test('a plan of very many files answers each of very many saved offsets at once', () => {
  const planned = chainOf(Array.from({ length: 200_000 }, () => orders))
  for (let n = 0; n < 10_000; n++)
    assert.deepEqual(planned.stretchOf(orders, 0), { from: 0, to: 2_000_000, coverEnd: 4_000_000 })
})
