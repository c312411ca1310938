import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeftTiles } from '../../src/backup/spool/left-tiles.ts'
import type { SpoolHead } from '../../src/backup/spool/spool-notes.ts'

const head = (uploadId: string, partition: number) => ({ uploadId, topic: 'orders', partition }) as SpoolHead
const ids = (heads: readonly SpoolHead[]) => heads.map(({ uploadId }) => uploadId)

function leftTiles(): LeftTiles {
  const left = new LeftTiles()
  left.add(head('a', 0), 100)
  left.add(head('b', 0), 200)
  left.add(head('c', 1), 100)
  return left
}

test('whoever has a partition again gets all that was left of it, and nothing of another one', () => {
  const left = leftTiles()
  assert.deepEqual(ids(left.take(head('', 0), ({ uploadId }) => uploadId === 'b')), ['b'])
  assert.deepEqual(ids(left.take(head('', 0), ({ uploadId }) => uploadId === 'b')), [])
  left.add(head('b', 0), 200)
  assert.deepEqual(ids(left.take(head('', 0))), ['a', 'b'])
  assert.deepEqual(left.take(head('', 0)), [])
  assert.deepEqual(ids(left.all), ['c'])
})

test('only what was left long enough ago is swept', () => {
  const left = leftTiles()
  assert.deepEqual(left.takeOlder(99), [])
  assert.deepEqual(ids(left.takeOlder(100)).sort(), ['a', 'c'])
  assert.deepEqual(ids(left.all), ['b'])
  assert.deepEqual(ids(left.takeOlder(200)), ['b'])
  assert.deepEqual(left.all, [])
})
