import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeRefusal } from '../../src/executor/judge-refusal.ts'
import type { RefusedBatch } from '../../src/executor/judge-refusal.ts'
import { kindOf } from '../../src/kafka/kafka-errors.ts'
import type { KafkaErrorName } from '../../src/kafka/kafka-errors.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'

const place = { topic: 'copy', partition: 3, baseOffset: 1_000 }
const batch: RefusedBatch = { records: 8, firstOffset: 50, lastOffset: 57, count: 40, isInvalidAgain: false }

const judge = (name: KafkaErrorName, more: Partial<RefusedBatch> = {}) =>
  judgeRefusal(place, { ...batch, ...more }, { name, kind: kindOf(name) })

/** Halves what is refused until the target takes all, or one record alone is refused; returns what is sent on the way. */
function bisect(offsets: readonly number[], isRefused: (offset: number) => boolean, name: KafkaErrorName) {
  const taken: number[] = []
  let [size, sent] = [Infinity, 0]
  for (let invalidAt = -1; taken.length < offsets.length;) {
    const next = offsets.slice(taken.length, taken.length + size)
    assert.ok(++sent < 100, 'it goes on for ever')
    if (!next.some(isRefused)) {
      taken.push(...next)
      continue
    }
    const [firstOffset, lastOffset] = [next[0]!, next.at(-1)!]
    const isInvalidAgain = invalidAt === taken.length
    invalidAt = taken.length
    const verdict = judge(name, { records: next.length, firstOffset, lastOffset, count: taken.length, isInvalidAgain })
    if (verdict instanceof MaxbrodError) return { taken, verdict }
    if (verdict === 'smaller') size = Math.max(1, Math.floor(next.length / 2))
  }
  return { taken, verdict: undefined }
}

for (const name of ['MESSAGE_TOO_LARGE', 'INVALID_TIMESTAMP', 'INVALID_RECORD'] as const) {
  test(`${name}: wherever the refused record stands, all before it are sent, and it is named alone`, () => {
    const offsets = Array.from({ length: 50 }, (_, n) => 100 + 3 * n)
    for (const [n, bad] of offsets.entries()) {
      const { taken, verdict } = bisect(offsets, offset => offset === bad, name)
      assert.deepEqual(taken, offsets.slice(0, n))
      assert.equal(verdict?.code, 'TARGET_REFUSED')
      assert.equal(verdict.message, `copy-3 refuses the record with source offset ${bad}: ${name}`)
      assert.deepEqual([verdict.facts['firstOffset'], verdict.facts['lastOffset']], [bad, bad])
    }
    assert.deepEqual(bisect(offsets, () => false, name).taken, offsets)
  })
}

test('a batch that is called invalid for the first time at a place is sent again as it is, and one that is too large is not', () => {
  assert.equal(judge('INVALID_TIMESTAMP', { records: 1 }), 'look again')
  assert.equal(judge('INVALID_TIMESTAMP', { isInvalidAgain: true }), 'smaller')
  assert.equal(judge('MESSAGE_TOO_LARGE'), 'smaller')
})

test('what time may heal waits before the log is read, and nothing else does', () => {
  for (const name of ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS'] as const)
    assert.equal(judge(name), 'look again later', name)
})

test('a producer that somebody took over spoils the target from the next record on; rights and strange errors name the batch', () => {
  const fenced = judge('INVALID_PRODUCER_EPOCH') as MaxbrodError
  assert.deepEqual([fenced.code, fenced.facts['offset']], ['TARGET_SPOILED', 1_040])
  const denied = judge('TOPIC_AUTHORIZATION_FAILED') as MaxbrodError
  assert.deepEqual([denied.code, denied.facts['firstOffset']], ['KAFKA_AUTH', 50])
  const strange = judge('ERROR_4711') as MaxbrodError
  assert.equal(strange.message, 'copy-3 refuses a batch with source offsets 50 to 57: ERROR_4711')
})
