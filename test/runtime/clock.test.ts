import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { mock, test } from 'node:test'
import { systemClock } from '../../src/runtime/clock.ts'

const MONTH_MS = 31 * 86_400_000

test('a sleep of a month lasts a month, and ends when it is told to', async () => {
  const over = new AbortController()
  let isOver = false
  const sleeping = systemClock.sleep(MONTH_MS, over.signal).then(() => (isOver = true))
  await pause(20)
  assert.equal(isOver, false)
  over.abort()
  await sleeping
})

test('a sleep that takes several timers ends with the last of them, or when it is told to in between', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const over = new AbortController()
    const ended: string[] = []
    const sleeping = [
      systemClock.sleep(MONTH_MS).then(() => ended.push('by itself')),
      systemClock.sleep(MONTH_MS, over.signal).then(() => ended.push('told to')),
    ]
    mock.timers.tick(2 ** 31)
    over.abort()
    await sleeping[1]
    assert.deepEqual(ended, ['told to'])
    mock.timers.tick(MONTH_MS)
    await sleeping[0]
    assert.deepEqual(ended, ['told to', 'by itself'])
  } finally {
    mock.timers.reset()
  }
})
