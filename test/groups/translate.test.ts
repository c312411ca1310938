import assert from 'node:assert/strict'
import { test } from 'node:test'
import { translate } from '../../src/groups/translate.ts'
import type { TargetStretch } from '../../src/groups/translate.ts'

const nothingLeft: TargetStretch = {
  start: 1_000,
  end: 1_000,
  isComplete: true,
  coverEnd: 1_000,
  lastSource: undefined,
  hadRecords: true,
}

test('a group whose records were restored and then deleted had not read all that there is', () => {
  const inside = translate(500, undefined, nothingLeft)
  assert.deepEqual([inside.kind, inside.to], ['before-data', 1_000])
  assert.equal(translate(999, undefined, nothingLeft).kind, 'before-data')
  assert.equal(translate(0, undefined, { ...nothingLeft, isComplete: false }).kind, 'waiting')
  assert.equal(translate(1_000, undefined, nothingLeft).kind, 'tip')
  assert.equal(translate(1_200, undefined, nothingLeft).kind, 'clamped')
})

test('a group at the end of a source without records, or behind the last one, had read all that there is', () => {
  const neverAny = { ...nothingLeft, start: 0, end: 0, hadRecords: false }
  assert.deepEqual(
    [500, 1_000].map(saved => translate(saved, undefined, neverAny).kind),
    ['tip', 'tip'],
  )
  const behindLast = { ...nothingLeft, start: 0, lastSource: 400 }
  assert.deepEqual(
    [401, 1_000].map(saved => translate(saved, undefined, behindLast).kind),
    ['tip', 'tip'],
  )
})
