import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Movement } from '../../src/executor/movement.ts'

test('a plan partition stands still when none of its targets grows, whichever has its turn', () => {
  const movement = new Movement()
  const [a, b, c] = [0, 1, 2].map(partition => ({ topic: 'copy', partition })) as [Target, Target, Target]
  const look = (counts: readonly [number, number, number], nowMs: number) => {
    movement.note(0, a, counts[0], nowMs)
    movement.note(0, b, counts[1], nowMs)
    movement.note(1, c, counts[2], nowMs)
    return [movement.stoodMs(0, nowMs), movement.stoodMs(1, nowMs)]
  }
  assert.deepEqual(look([5, 0, 7], 1_000), [0, 0], 'nothing is known at the first look')
  assert.deepEqual(look([6, 0, 7], 3_000), [0, 2_000])
  assert.deepEqual(look([6, 1, 7], 5_000), [0, 4_000])
  assert.deepEqual(look([6, 1, 8], 9_000), [4_000, 0])
  assert.deepEqual(look([6, 0, 8], 9_500), [0, 500], 'a target that lost records moves, too')
  assert.equal(movement.stoodMs(2, 9_500), 0)
})

interface Target {
  readonly topic: string
  readonly partition: number
}
