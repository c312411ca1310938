import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlushDesk } from '../../src/backup/flush.ts'
import type { StoppedPartition } from '../../src/backup/result.ts'
import type { TopicPartition } from '../../src/runtime/topic-partition.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

/** A desk whose rounds end when the test says so. */
function openDesk(stopped: readonly StoppedPartition[] = []) {
  const clock = new ManualClock()
  const rounds: PromiseWithResolvers<readonly TopicPartition[]>[] = []
  const desk = new FlushDesk({
    clock,
    flushAll() {
      const round = Promise.withResolvers<readonly TopicPartition[]>()
      rounds.push(round)
      return round.promise
    },
    stopped: () => stopped,
  })
  const upload = (topic: string) =>
    desk.uploaded(
      { topic, partition: 0 },
      { key: `${topic}/0`, from: 0, to: 5, records: 5, bytes: 50, gaps: [], reason: 'flush', seconds: 1 },
    )
  return { desk, clock, rounds, upload }
}

/** Lets all that can happen by itself happen. */
const settle = () => new Promise(resolve => setImmediate(resolve))

test('a flush names the files that became durable during its round, and no others', async () => {
  const { desk, rounds, upload } = openDesk()
  upload('before')
  const flushed = desk.flush()
  await settle()
  upload('during')
  rounds[0]!.resolve([])
  const { files, left } = await flushed
  upload('after')
  assert.deepEqual(files, [{ topic: 'during', partition: 0, key: 'during/0', from: 0, to: 5, records: 5, bytes: 50 }])
  assert.deepEqual(left, [])
})

test('who asks while a round is under way gets the next one, shared with all others, and not within the same second', async () => {
  const { desk, clock, rounds } = openDesk()
  const first = desk.flush()
  await settle()
  const later = Array.from({ length: 500 }, () => desk.flush())
  await settle()
  assert.equal(rounds.length, 1, 'what was read meanwhile is not part of the round that had begun')
  rounds[0]!.resolve([])
  await first
  await settle()
  assert.equal(rounds.length, 1)
  clock.advance(1_000)
  await settle()
  assert.equal(rounds.length, 2)
  rounds[1]!.resolve([])
  const results = await Promise.all(later)
  assert.equal(new Set(results).size, 1)
})

test('a round that fails is an error for who asked for it, and the next one goes on', async () => {
  const { desk, clock, rounds } = openDesk()
  const first = desk.flush()
  await settle()
  const second = desk.flush()
  rounds[0]!.reject(new Error('lost'))
  await assert.rejects(first, { message: 'lost' })
  await settle()
  clock.advance(1_000)
  await settle()
  rounds[1]!.resolve([])
  assert.deepEqual((await second).files, [])
})

test('partitions that are not durable are named: those that stopped with their reason, the others moved', async () => {
  const { desk, rounds } = openDesk([{ topic: 'a', partition: 1, code: 'TILE_CONFLICT', message: 'a-1: taken' }])
  const flushed = desk.flush()
  await settle()
  rounds[0]!.resolve([
    { topic: 'a', partition: 1 },
    { topic: 'b', partition: 2 },
  ])
  assert.deepEqual((await flushed).left, [
    { topic: 'a', partition: 1, reason: 'a-1: taken' },
    { topic: 'b', partition: 2, reason: 'it moved to another worker' },
  ])
})
