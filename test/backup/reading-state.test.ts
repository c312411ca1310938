import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadingState } from '../../src/backup/reading/reading-state.ts'

function reading(change: { lastEpoch?: number; hasEnough?: boolean } = {}) {
  const end = new AbortController()
  const cursor = { position: 5, lastEpoch: 3, hasEnough: false, ...change }
  return { cursor, end, state: new ReadingState(cursor, { ended: end.signal }) }
}

test('a partition that has enough still asks once whether the log is the one that was read', () => {
  const { state } = reading({ hasEnough: true })
  assert.equal(state.isChecked, false)
  assert.equal(state.isHungry, true)
  state.check()
  assert.equal(state.isHungry, false)
})

test('without a leader epoch there is nothing to ask', () => {
  const { state } = reading({ hasEnough: true, lastEpoch: -1 })
  assert.equal(state.isChecked, true)
  assert.equal(state.isHungry, false)
})

test('nothing is asked for, and no late answer counts, once the reading is over or the partition is lost', () => {
  const over = reading()
  assert.deepEqual([over.state.isHungry, over.state.isStillAt(5)], [true, true])
  over.state.end()
  assert.deepEqual([over.state.isHungry, over.state.isStillAt(5), over.state.isOver], [false, false, true])
  const lost = reading()
  lost.end.abort()
  assert.deepEqual([lost.state.isHungry, lost.state.isStillAt(5), lost.state.isOver], [false, false, false])
})

test('an answer about a position that was left does not count', () => {
  const { cursor, state } = reading()
  cursor.position = 6
  assert.deepEqual([state.isStillAt(5), state.isStillAt(6)], [false, true])
})
