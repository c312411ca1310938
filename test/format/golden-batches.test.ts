import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AbortedFilter } from '../../src/format/batch/aborted.ts'
import { decompressPayload } from '../../src/format/batch/compression.ts'
import { MagicError, batchesIn } from '../../src/format/batch/record-batch.ts'
import type { RecordBatch } from '../../src/format/batch/record-batch.ts'
import { recordsIn } from '../../src/format/batch/records.ts'
import { DecodeError } from '../../src/format/batch/varint.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { AvroBlock } from '../../src/format/transcode/avro-block.ts'
import { moveRecords, startMoving } from '../../src/format/transcode/to-avro.ts'
import { avroType, decodeAvroRecords } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import type { Golden, GoldenBatch } from '../helpers/golden.ts'
import { readGolden } from '../helpers/golden.ts'
import type { CanonicalRecord, DigestRecord } from '../helpers/records.ts'
import { RecordDigest, canonicalBytes } from '../helpers/records.ts'

const golden = readGolden()
const isOld = ({ batches }: Golden) => batches.some(({ magic }) => magic < 2)
const readable = golden.filter(entry => !isOld(entry) && entry.name !== 'offsets-too-high')
const type = avroType(recordSchema)

test('there is a fixture for everything that is odd about batches', () => {
  const names = golden.map(({ name }) => name)
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    for (const size of ['empty', 'one', 'tiny', 'large'])
      assert.ok(names.includes(`${codec}-${size}`), `${codec}-${size}`)
  const batches = readable.flatMap(entry => entry.batches)
  const has = (what: string, of: (batch: GoldenBatch) => boolean) => assert.ok(batches.some(of), what)
  has('150,000 records in one batch', ({ count }) => count >= 150_000)
  has('a record of a megabyte', ({ count, bytes, codec }) => count === 1 && bytes > 1_000_000 && codec === 'none')
  has('LogAppendTime', ({ timestampType }) => timestampType === 'LogAppendTime')
  has('a transaction', ({ isTransactional, isControl }) => isTransactional && !isControl)
  has('an abort marker', ({ control }) => control === 'ABORT')
  has('a commit marker', ({ control }) => control === 'COMMIT')
  has('a delete horizon', ({ deleteHorizon }) => deleteHorizon !== null)
  has('a batch that compaction emptied', ({ count, lastOffset, baseOffset }) => count === 0 && lastOffset > baseOffset)
  has('the first int64', ({ maxTimestamp }) => maxTimestamp === '-9223372036854775808')
  has('the last int64', ({ maxTimestamp }) => maxTimestamp === '9223372036854775807')
})

describe('a batch that Kafka wrote', () => {
  for (const { name, what, bytes, batches: expected } of readable) {
    test(`${name} is read as Kafka reads it: ${what}`, async () => {
      const batches = [...batchesIn(bytes)]
      assert.equal(batches.length, expected.length)
      for (const [n, batch] of batches.entries()) {
        batch.check()
        assert.deepEqual(headerOf(batch), headerExpected(expected[n]!))
        const payload = await decompressPayload(batch.codec, batch.payload)
        const single = [...recordsIn(batch, payload)].map(record => ({
          ...record,
          offset: BigInt(record.offset),
          headers: record.headers.map(({ key, value }) => [key, value] as const),
        }))
        assertRecords(single, expected[n]!)
        assertRecords(moved(batch, payload), expected[n]!)
      }
    })
  }

  for (const { name, what, bytes, batches } of golden.filter(isOld)) {
    test(`${name} is refused: ${what}`, () => {
      const { magic } = batches[0]!
      assert.throws(
        () => [...batchesIn(bytes)],
        error => error instanceof MagicError && error.magic === magic && error.message.includes(`format ${magic}`),
      )
    })
  }

  test('offsets above 2^53 − 1 are refused, and the message says which', () => {
    const { bytes } = golden.find(({ name }) => name === 'offsets-too-high')!
    assert.throws(() => [...batchesIn(bytes)], { name: 'DecodeError', message: /9007199254740992/ })
  })
})

describe('of a log with transactions', () => {
  for (const { name, what, bytes, aborted, committed, fetchOffset } of golden) {
    if (aborted === undefined || committed === undefined) continue
    test(`${name}, exactly the committed records are seen: ${what}`, () => {
      const filter = new AbortedFilter(
        aborted.map(({ producerId, firstOffset }) => ({
          producerId: BigInt(producerId),
          firstOffset: Number(firstOffset),
        })),
      )
      const seen = [...batchesIn(bytes)]
        .filter(batch => !filter.drops(batch) && !batch.isControl)
        .flatMap(batch => [...recordsIn(batch, batch.payload)].map(({ offset }) => offset))
        .filter(offset => offset >= Number(fetchOffset))
      assert.deepEqual(seen.map(String), committed)
    })
  }
})

test('the next fetch begins behind the range of the last batch, not behind its last record', () => {
  const { bytes } = golden.find(({ name }) => name === 'log-gap-at-end')!
  assert.equal([...batchesIn(bytes)].at(-1)!.nextOffset, 1_000)
})

/** The batch's records by the fast way into a block, out of which avsc reads them. */
function moved(batch: RecordBatch, payload: Buffer): DigestRecord[] {
  const pool = new CountingPool()
  const block = new AvroBlock(pool, 64)
  assert.ok(moveRecords(startMoving(batch, payload), block, { from: 0, to: Infinity }, Infinity))
  const records = decodeAvroRecords(type, Buffer.from(block.content))
  assert.equal(block.records, records.length)
  block.release()
  assert.equal(pool.taken, 0)
  return records
}

function assertRecords(records: readonly DigestRecord[], expected: GoldenBatch): void {
  const digest = new RecordDigest()
  for (const record of records) digest.add(record)
  if (expected.records !== undefined)
    assert.deepEqual(
      records.map(canonical),
      expected.records.map(({ offset, timestamp, key, value, headers }) => ({
        offset,
        timestamp,
        key,
        value,
        headers,
      })),
    )
  assert.equal(records.length, expected.count)
  assert.deepEqual(digest.values(), { content: expected.content, digest: expected.digest })
}

function canonical({ offset, timestamp, key, value, headers }: DigestRecord): Omit<CanonicalRecord, 'timestampType'> {
  return {
    offset: String(offset),
    timestamp: String(timestamp),
    key: canonicalBytes(key),
    value: canonicalBytes(value),
    headers: headers.map(([name, of]) => [canonicalBytes(name), canonicalBytes(of)] as const),
  }
}

function headerOf(batch: RecordBatch): object {
  return {
    bytes: batch.end - batch.start,
    baseOffset: String(batch.baseOffset),
    lastOffset: String(batch.nextOffset - 1),
    codec: batch.codec,
    isAppendTime: batch.isAppendTime,
    maxTimestamp: String(batch.maxTimestamp),
    leaderEpoch: batch.leaderEpoch,
    producerId: String(batch.producerId),
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    count: batch.recordCount,
  }
}

function headerExpected(batch: GoldenBatch): object {
  return {
    bytes: batch.bytes,
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    codec: batch.codec,
    isAppendTime: batch.timestampType === 'LogAppendTime',
    maxTimestamp: batch.maxTimestamp,
    leaderEpoch: batch.leaderEpoch,
    producerId: batch.producerId,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    count: batch.count,
  }
}

test('an error about a batch is a DecodeError', () => assert.ok(new MagicError(1) instanceof DecodeError))
