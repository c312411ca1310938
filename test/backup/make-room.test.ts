import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRoom } from '../../src/backup/make-room.ts'

/** Which of the files, by their sizes, are closed to make room. */
function closed(sizes: readonly number[], waiting = 0): number[] {
  const gone: number[] = []
  makeRoom(
    sizes.map((openSpoolBytes, n) => ({
      openSpoolBytes,
      waiting: n === 0 ? waiting : 0,
      closeForRoom: () => void gone.push(openSpoolBytes),
    })),
  )
  return gone
}

test('the largest files make room, until half of what lies on the disk is on its way', () => {
  assert.deepEqual(closed([1, 5, 3, 2]), [5, 3])
  assert.deepEqual(closed([1, 9, 3, 2]), [9])
  assert.deepEqual(closed([2, 2, 2, 2]), [2, 2])
  assert.deepEqual(closed([7]), [7])
})

test('where nothing lies on the disk, or files wait for their upload already, none is closed', () => {
  assert.deepEqual(closed([]), [])
  assert.deepEqual(closed([0, 0]), [])
  assert.deepEqual(closed([5, 3], 1), [])
})
