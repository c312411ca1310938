import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseTime } from '../../src/config/time.ts'

const noon = Date.UTC(2026, 10, 21, 12)

for (const text of [
  '2026-11-21T12:00:00Z',
  '2026-11-21T12:00:00.000Z',
  '2026-11-21T12:00Z',
  '2026-11-21 12:00:00Z',
  '2026-11-21T14:00:00+02:00',
  '2026-11-21T06:30:00-05:30',
  `${noon}`,
  `${noon / 1_000}`,
]) {
  test(`${text} is noon of that day`, () => assert.equal(parseTime(text), noon))
}

test('a date alone is its first moment in UTC', () => {
  assert.equal(parseTime('2026-11-21'), Date.UTC(2026, 10, 21))
})

test('every moment of the years 2000 to 2099 reads the same as ISO text, as milliseconds and, without its ms, as seconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2100, 0) - 1 }), ms => {
      assert.equal(parseTime(new Date(ms).toISOString()), ms)
      assert.equal(parseTime(`${ms}`), ms)
      assert.equal(parseTime(`${Math.floor(ms / 1_000)}`), Math.floor(ms / 1_000) * 1_000)
    }),
  )
})

test('a time of day without a zone is refused, and the hint completes it', () => {
  assert.throws(() => parseTime('2026-11-21T12:00:00'), {
    message: /does not say in which time zone/,
    hint: 'write 2026-11-21T12:00:00Z for UTC, or an offset such as +02:00',
  })
})

for (const number of ['0', '1', '-1', '20261121', '946684799', '4102444800000', '1763726400000000']) {
  test(`the number ${number} is no time anybody meant`, () => {
    assert.throws(() => parseTime(number), { message: /neither seconds nor milliseconds/ })
  })
}

for (const text of [
  '',
  'now',
  'yesterday',
  '2026-02-30T00:00:00Z',
  '2025-02-29',
  '2026-13-01',
  '2026-11-21T25:00:00Z',
  '21.11.2026',
  '2026-11-21T12:00:00ZZ',
]) {
  test(`'${text}' is refused`, () => assert.throws(() => parseTime(text), { name: 'Unreadable' }))
}
