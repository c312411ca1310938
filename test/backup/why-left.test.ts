import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whyLeft } from '../../src/backup/rescue/why-left.ts'
import { BackupTally } from '../../src/backup/result.ts'

const tile = { from: 10, to: 40, origin: 0, group: 'maxbrod', topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg' }
const endsAt = (end: number, nextFrom?: number) => ({ end, nextFrom })

test('each reason for which a tile of a deleted topic stays in the spool has words of its own', () => {
  for (const [change, chain, from, reason] of [
    [{}, endsAt(0), 10, /files in the store end at 0, and what lies between is missing/],
    [{}, endsAt(9), 10, /end at 9/],
    [{}, undefined, 10, /no file of what lies before it, from 0 on/],
    [{}, endsAt(25), 25, /end inside of it, at 25/],
    [{}, endsAt(39), 39, /end inside of it, at 39/],
    [{}, endsAt(10, 20), 10, /begins inside of it, at 20/],
    [{}, endsAt(10), 10, /another worker/],
    [{ origin: 10 }, undefined, 10, /another worker/],
    [{ to: undefined }, endsAt(10), 10, /nothing of it is whole/],
    [{ topicId: undefined }, undefined, 10, /no topic ids/],
    [{ group: 'other' }, endsAt(10), 10, /group other: give that as --group-id/],
  ] as const) {
    const left = whyLeft({ ...tile, ...change }, chain, 'maxbrod')
    assert.ok(left.kind === 'stuck', String(reason))
    assert.equal(left.from, from)
    assert.match(left.reason, reason)
  }
})

test('what somebody else has brought into the store is no loss, whoever had read it', () => {
  for (const change of [{}, { group: 'other' }])
    for (const end of [40, 41])
      assert.deepEqual(whyLeft({ ...tile, ...change }, endsAt(end), 'maxbrod'), { kind: 'durable' })
})

test('a backup with records that could not be uploaded is partial, and counts them', () => {
  const tally = new BackupTally()
  assert.equal(tally.result([]).result, 'ok')
  const only = { topic: 'orders', partition: 3, from: 10, to: 40, records: 30, reason: 'it is late' }
  tally.notUploaded(only)
  assert.equal(tally.result([]).result, 'partial')
  assert.deepEqual(tally.result([]).notUploaded, [only])
})
