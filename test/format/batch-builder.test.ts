import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchBuilder } from '../../src/format/batch/batch-builder.ts'
import { writeInteger } from '../../src/format/batch/varint.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { decodeBatches } from '../helpers/plain-batch.ts'

const stamp = { producerId: 7n, producerEpoch: 1, baseSequence: 5 }

/** Appends a record with a value and nothing else. */
function append(builder: BatchBuilder, value: Buffer): void {
  const lengthBytes = value.length < 64 ? 1 : 2
  let at = builder.begin(1_700_000_000_000 + builder.records, 1 + lengthBytes + value.length + 1)
  at = writeInteger(builder.bytes, at, -1)
  at = writeInteger(builder.bytes, at, value.length)
  at += value.copy(builder.bytes, at)
  builder.length = writeInteger(builder.bytes, at, 0)
}

test('a batch grows with its records, whatever room it began with, and keeps what it has', async () => {
  for (const capacity of [0, 61, 62, 100, 5_000]) {
    const pool = new CountingPool()
    const builder = new BatchBuilder(pool, capacity)
    const values = Array.from({ length: 200 }, (_, n) => Buffer.alloc(n % 100, n))
    for (const value of values) append(builder, value)
    assert.equal(builder.records, 200)
    const [batch] = decodeBatches(Buffer.from(await builder.finish('none', stamp)))
    assert.deepEqual(
      batch!.records.map(({ value }) => value),
      values,
    )
    builder.release()
    assert.equal(pool.taken, 0)
  }
})

test('a builder that is let go twice gives its buffer back once', () => {
  const pool = new CountingPool()
  const builder = new BatchBuilder(pool, 100)
  builder.release()
  builder.release()
  assert.equal(pool.taken, 0)
})
