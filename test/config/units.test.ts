import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatBytes, formatCount, formatDuration, parseBytes, parseDuration } from '../../src/config/units.ts'

const sizes = [
  ['0', 0],
  ['5242880', 5_242_880],
  ['5MiB', 5_242_880],
  ['5 MiB', 5_242_880],
  ['5mib', 5_242_880],
  ['1.5GiB', 1_610_612_736],
  ['500kB', 500_000],
  ['500B', 500],
  ['2TB', 2e12],
  ['0.5KiB', 512],
] as const

for (const [text, bytes] of sizes) {
  test(`the size ${text} is ${bytes} bytes`, () => assert.equal(parseBytes(text), bytes))
}

for (const text of [
  '',
  'MiB',
  '-1',
  '5 apples',
  '5MiBs',
  '1e6',
  '0x10',
  '5,5MiB',
  '5MiB 3',
  '9007199254740993',
  '9999999TiB',
  '१MiB',
]) {
  test(`the size '${text}' is refused`, () => assert.throws(() => parseBytes(text), { name: 'Unreadable' }))
}

test('a size that could be decimal or binary is refused with both readings', () => {
  assert.throws(() => parseBytes('5m'), { hint: 'write 5MiB or 5MB', message: /1000 or of 1024/ })
})

const durations = [
  ['0', 0],
  ['0s', 0],
  ['350ms', 350],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1.5h', 5_400_000],
  ['1h30m', 5_400_000],
  ['1m0.5s', 60_500],
  ['7d', 604_800_000],
  ['2M', 120_000],
] as const

for (const [text, ms] of durations) {
  test(`the duration ${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms))
}

for (const text of ['', 's', '-5s', '5 s', '5x', '5s3', '1h,30m', 'PT5S', '99999999999999999d']) {
  test(`the duration '${text}' is refused`, () => assert.throws(() => parseDuration(text), { name: 'Unreadable' }))
}

test('a duration without a unit is refused, and the hint says which there are', () => {
  assert.throws(() => parseDuration('30'), { message: "'30' has no unit", hint: 'write 30s, 30m or 30ms' })
})

test('what is printed as a size reads as the same size, up to three digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 49 }), bytes => {
      const read = parseBytes(formatBytes(bytes))
      assert.ok(Math.abs(read - bytes) <= bytes * 0.006, `${bytes} was printed as ${formatBytes(bytes)}`)
    }),
  )
})

test('what is printed as a duration reads as the same duration, without what is below its last unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 * 365 * 86_400_000 }), ms => {
      const read = parseDuration(formatDuration(ms))
      const unitMs = ms < 1_000 ? 1 : ms < 3_600_000 ? 1_000 : ms < 86_400_000 ? 60_000 : 3_600_000
      assert.equal(read, Math.floor(ms / unitMs) * unitMs, `${ms} was printed as ${formatDuration(ms)}`)
    }),
  )
})

test('sizes, counts and durations are printed for people', () => {
  assert.deepEqual([0, 999, 1_000, 5_242_880, 1_023_590, 1_023 * 1_024, 2 ** 40].map(formatBytes), [
    '0 B',
    '999 B',
    '0.977 KiB',
    '5.00 MiB',
    '0.976 MiB',
    '0.999 MiB',
    '1.00 TiB',
  ])
  assert.deepEqual([0, 999, 1_000, 12_345, 999_499, 999_500, 1e9].map(formatCount), [
    '0',
    '999',
    '1.00k',
    '12.3k',
    '999k',
    '1.00M',
    '1.00G',
  ])
  assert.deepEqual([0, 999, 1_000, 59_999, 61_000, 3_600_000, 90_061_000].map(formatDuration), [
    '0ms',
    '999ms',
    '1s',
    '59s',
    '1m01s',
    '1h00m',
    '1d01h',
  ])
})
