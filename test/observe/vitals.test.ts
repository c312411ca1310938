import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StepOptions } from '../../src/observe/vitals.ts'
import { Vitals } from '../../src/observe/vitals.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const MINUTE = 60_000

function open() {
  const clock = new ManualClock()
  const vitals = new Vitals(clock)
  vitals.allow(20 * MINUTE)
  const begin = (what: string, options?: StepOptions) => {
    const end = Promise.withResolvers<void>()
    void vitals.during(what, () => end.promise, options).catch(() => undefined)
    return end
  }
  return { clock, vitals, begin }
}

test('a step that takes longer than it may is named, the oldest first, until it ends', async () => {
  const { clock, vitals, begin } = open()
  const upload = begin('an upload of orders-0')
  clock.advance(MINUTE)
  const fetching = begin('a fetch from broker 1')
  clock.advance(19 * MINUTE)
  assert.deepEqual(vitals.alive, { isGood: true, says: 'alive, 2 steps under way' })
  clock.advance(2 * MINUTE)
  assert.deepEqual(vitals.alive, { isGood: false, says: 'stuck for 22m00s: an upload of orders-0, and 1 more' })
  upload.resolve()
  fetching.reject(new Error('no answer'))
  await new Promise(setImmediate)
  assert.deepEqual(vitals.alive, { isGood: true, says: 'alive, 0 steps under way' })
})

test('steps that fail and are tried again for hours are no stuck work', async () => {
  const { clock, vitals, begin } = open()
  for (let hour = 0; hour < 60; hour++) {
    const attempt = begin('a fetch from broker 1')
    clock.advance(15 * MINUTE)
    assert.ok(vitals.alive.isGood)
    attempt.reject(new Error('no answer'))
    await new Promise(setImmediate)
    clock.advance(30 * MINUTE)
    assert.ok(vitals.alive.isGood)
  }
})

test('a process that stood still was not stuck', () => {
  const { clock, vitals, begin } = open()
  begin('a heartbeat to group maxbrod')
  for (let n = 0; n < 100; n++) {
    clock.standStill(60 * MINUTE)
    clock.advance(1)
    assert.ok(vitals.alive.isGood)
  }
})

test('much takes long on a slow line', () => {
  const { clock, vitals, begin } = open()
  begin('an upload of orders-0', { bytes: 64 * 1024 * 1024 })
  clock.advance(80 * MINUTE)
  assert.ok(vitals.alive.isGood)
  clock.advance(20 * MINUTE)
  assert.ok(!vitals.alive.isGood)
})

test('what moves is not stuck, however long it takes, and is when it moves no more', async () => {
  const { clock, vitals } = open()
  let moves = (): void => assert.fail('not begun')
  const end = Promise.withResolvers<void>()
  const upload = vitals.during('an upload of orders-0', moved => {
    moves = moved
    return end.promise
  })
  for (let n = 0; n < 20; n++) {
    clock.advance(19 * MINUTE)
    assert.ok(vitals.alive.isGood)
    moves()
  }
  clock.advance(20 * MINUTE)
  assert.ok(vitals.alive.isGood)
  clock.advance(MINUTE)
  assert.match(vitals.alive.says, /^stuck for 21m00s: an upload of orders-0$/)
  end.resolve()
  await upload
})

test('what is explained from outside is not stuck, and has its time anew after that', () => {
  const { clock, vitals, begin } = open()
  let isDiskFull = true
  begin('waiting for memory', { isExcused: () => isDiskFull })
  clock.advance(60 * MINUTE)
  assert.ok(vitals.alive.isGood)
  isDiskFull = false
  clock.advance(20 * MINUTE)
  assert.ok(vitals.alive.isGood)
  clock.advance(MINUTE)
  assert.match(vitals.alive.says, /^stuck for 21m00s: waiting for memory$/)
})

test('ready is a member that its group counts in, with partitions or without', () => {
  const { clock, vitals } = open()
  assert.deepEqual(vitals.ready, { isGood: false, says: 'starting' })
  let provenAtMs = clock.monotonic()
  vitals.readyAsMember('maxbrod', () => provenAtMs, 30_000)
  clock.advance(30_000)
  assert.deepEqual(vitals.ready, { isGood: true, says: 'ready' })
  clock.advance(1_000)
  assert.deepEqual(vitals.ready, { isGood: false, says: 'group maxbrod has not counted us in for 31s' })
  provenAtMs = clock.monotonic()
  assert.ok(vitals.ready.isGood)
})
