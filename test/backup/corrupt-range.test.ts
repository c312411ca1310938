import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corruptBatchAt, corruptRangeEnd } from '../../src/backup/reading/corrupt-range.ts'
import { batchAt } from '../helpers/lone-partition.ts'

function damaged(batch: Buffer, at = batch.length - 1): Buffer {
  const copy = Buffer.from(batch)
  copy[at]! ^= 1
  return copy
}

/** Where a batch's header says how many offsets it has: the byte that counts most in small batches. */
const LAST_OFFSET_DELTA_AT = 26

test('a corrupt batch is told from its sound neighbours by its checksum', () => {
  const answer = Buffer.concat([batchAt(0, 10), damaged(batchAt(10, 5)), batchAt(15, 5)])
  assert.deepEqual(corruptBatchAt(answer, 10), { nextOffset: 15, behind: { baseOffset: 15, isSound: true } })
})

test('a corrupt batch at the end of an answer has nothing behind it yet', () => {
  assert.deepEqual(corruptBatchAt(damaged(batchAt(10, 5)), 10), { nextOffset: 15, behind: undefined })
})

test('a batch whose checksum holds is no corrupt batch, whatever else is wrong', () => {
  assert.equal(corruptBatchAt(Buffer.concat([batchAt(10, 5), damaged(batchAt(15, 5))]), 10), undefined)
})

test('where the batches behind contradict the header, nobody can say what a gap would leave out', () => {
  const tooFar = damaged(batchAt(10, 5), LAST_OFFSET_DELTA_AT)
  assert.equal(tooFar.readInt32BE(23), 5)
  assert.equal(corruptBatchAt(Buffer.concat([tooFar, batchAt(15, 5)]), 10), undefined)
  const noBatch = damaged(batchAt(15, 5), 16)
  assert.equal(corruptBatchAt(Buffer.concat([damaged(batchAt(10, 5)), noBatch]), 10), undefined)
})

test('a gap ends where the next batch begins, or the log', () => {
  const corrupt = { nextOffset: 15, behind: undefined }
  const behind = (baseOffset: number, isSound = true) => ({ baseOffset, isSound })
  const cases: [Parameters<typeof corruptRangeEnd>[1], number, number | undefined][] = [
    [behind(15), 100, 15],
    [behind(15, false), 100, 15],
    [behind(40), 100, 40], // compacted, or a header that says too little
    [behind(40, false), 100, undefined],
    [behind(12), 100, undefined],
    [undefined, 15, 15],
    [undefined, 20, undefined],
    [undefined, 12, undefined],
  ]
  for (const [found, lastStableOffset, end] of cases)
    assert.equal(corruptRangeEnd(corrupt, found, lastStableOffset), end, JSON.stringify([found, lastStableOffset]))
})
