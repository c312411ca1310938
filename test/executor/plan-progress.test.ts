import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PlanProgress } from '../../src/executor/plan-progress.ts'
import { check } from '../helpers/properties.ts'

test('what may be committed ends before the first entry that is not done', () => {
  const entries = fc.uniqueArray(fc.nat(40), { maxLength: 20 }).map(list => list.toSorted((a, b) => a - b))
  check(
    fc.property(entries, fc.func(fc.boolean()), fc.infiniteStream(fc.nat()), (offsets, asksForWork, dice) => {
      const progress = new PlanProgress()
      assert.equal(progress.committable, 0)
      for (const offset of offsets) progress.add(offset, !asksForWork(offset))
      const open = offsets.filter(offset => asksForWork(offset))
      const end = offsets.length === 0 ? 0 : offsets.at(-1)! + 1
      while (open.length > 0) {
        assert.equal(progress.committable, Math.min(...open))
        const [done] = open.splice(dice.next().value! % open.length, 1)
        progress.finish(done!)
        progress.finish(done!) // told twice
      }
      assert.equal(progress.committable, end)
      progress.reach(end + 3)
      assert.equal(progress.committable, end + 3)
      progress.reach(end)
      assert.equal(progress.committable, end + 3)
    }),
    500,
  )
})

test('an entry that was finished before a later one came stays finished', () => {
  const progress = new PlanProgress()
  progress.add(0, false)
  progress.finish(0)
  progress.add(1, false)
  progress.finish(0)
  assert.equal(progress.committable, 1)
})

test('what may be committed goes back to an entry that is to be done again, and only until it is', () => {
  const progress = new PlanProgress()
  for (const offset of [1, 2, 3, 4]) progress.add(offset, false)
  for (const offset of [1, 2, 4]) progress.finish(offset)
  assert.equal(progress.committable, 3)
  for (const offset of [2, 1, 4, 3]) progress.reopen(offset)
  for (const [done, left] of [
    [2, 1],
    [1, 3],
    [3, 4],
    [4, 5],
  ] as const) {
    progress.finish(done)
    assert.equal(progress.committable, left)
  }
  progress.reopen(4)
  assert.equal(progress.committable, 4)
})

test('a plan partition may have half a million files', () => {
  const progress = new PlanProgress()
  const files = 500_000 // moving what is behind the first file at each step would take minutes
  for (let offset = 0; offset < files; offset++) progress.add(offset, false)
  for (let offset = 1; offset < files; offset += 2) progress.finish(offset)
  assert.equal(progress.committable, 0)
  for (let offset = 0; offset < files; offset += 2) progress.finish(offset)
  assert.equal(progress.committable, files)
})
