import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferedLog, sumOfBuffered } from '../../src/backup/buffered.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const ownership = { topic: 'orders', partition: 0 }
const of = (bufferedOffsets: number, bufferedBytes: number, dueInMs: number) => ({
  ownership,
  bufferedOffsets,
  bufferedBytes,
  dueInMs,
})

test('what is buffered is summed up, with the first and the last file that come of age', () => {
  assert.equal(sumOfBuffered([]), undefined)
  assert.equal(sumOfBuffered([of(0, 0, 5)]), undefined)
  assert.deepEqual(sumOfBuffered([of(2, 100, 7_000), of(0, 0, 1), of(3, 10, 9_000), of(1, 0, 8_000)]), {
    partitions: 3,
    offsets: 6,
    bytes: 110,
    nextDueInMs: 7_000,
    lastDueInMs: 9_000,
  })
})

test('a partition says what it has that is not durable, and by when its file is closed at the latest', async () => {
  await using opened = await openLonePartition({ options: { maxFileAge: 60_000 } })
  const { partition, clock } = opened
  assert.equal(partition.bufferedOffsets, 0)
  await partition.take(answerOf([batchAt(0, 5)], { lastStableOffset: 5 }), 0, true)
  partition.tick()
  assert.deepEqual([partition.bufferedOffsets, partition.dueInMs], [5, 60_000])
  clock.advance(59_999)
  assert.equal(partition.dueInMs, 1)
  clock.advance(1)
  partition.tick()
  await partition.drained()
  assert.deepEqual([partition.bufferedOffsets, opened.uploaded.map(({ reason }) => reason)], [0, ['age']])
  assert.equal(sumOfBuffered([partition]), undefined)
})

test('the log says every 30 seconds what is buffered and until when, and nothing about nothing', () => {
  const clock = new ManualClock(Date.UTC(2026, 10, 21, 12))
  const lines: object[] = []
  const log = { info: (facts: object) => void lines.push(facts) } as unknown as Logger
  const buffered = new BufferedLog({ clock, log })
  const all = [of(2, 100, 7_000), of(3, 10, 9_000)]
  for (let ms = 0; ms < 30_000; ms += 500) {
    buffered.tick(all)
    clock.advance(500)
  }
  assert.deepEqual(lines, [])
  buffered.tick(all)
  const said = { nextFileBy: '2026-11-21T12:00:37.000Z', lastFileBy: '2026-11-21T12:00:39.000Z' }
  assert.deepEqual(lines, [{ partitions: 2, offsets: 5, bytes: 110, ...said }])
  clock.advance(29_999)
  buffered.tick(all)
  clock.advance(1)
  buffered.tick([])
  assert.equal(lines.length, 1)
})
