import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, timeText } from '../../src/observe/ago.ts'

const minute = 60_000
const day = 86_400_000

for (const [ms, text] of [
  [-5_000, 'just now'],
  [999, 'just now'],
  [1_000, '1 second ago'],
  [59_000, '59 seconds ago'],
  [minute, '1 minute ago'],
  [90 * minute, '1.5 hours ago'],
  [150 * minute, '2.5 hours ago'],
  [9.97 * 60 * minute, '10 hours ago'],
  [47 * 60 * minute, '47 hours ago'],
  [2 * day, '2 days ago'],
  [400 * day, '400 days ago'],
  [3 * 365.25 * day, '3 years ago'],
] as const) {
  test(`${ms} ms are said as ${text}`, () => assert.equal(ago(1_700_000_000_000 - ms, 1_700_000_000_000), text))
}

test('a timestamp that no calendar knows stays a number', () => {
  assert.equal(timeText(1_700_000_000_000n), '2023-11-14T22:13:20.000Z')
  assert.equal(timeText(2n ** 63n - 1n), '9223372036854775807')
  assert.equal(timeText(-1n), '1969-12-31T23:59:59.999Z')
})
