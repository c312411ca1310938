import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { decompressPayload } from '../../src/format/batch/compression.ts'
import { BATCH_CODECS, RecordBatch } from '../../src/format/batch/record-batch.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { AvroBlock } from '../../src/format/transcode/avro-block.ts'
import { stampBatch } from '../../src/format/batch/batch-builder.ts'
import { recordReader } from '../../src/format/transcode/avro-records.ts'
import { moveRecords, startMoving } from '../../src/format/transcode/to-avro.ts'
import { blockToBatches } from '../../src/format/transcode/to-batches.ts'
import type { BlockSlice } from '../../src/format/transcode/to-batches.ts'
import { recordLists, runsOf } from '../helpers/arbitrary-records.ts'
import { avroType, decodeAvroRecords, encodeAvroRecord } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { decodeBatches, encodeBatch } from '../helpers/plain-batch.ts'
import type { PlainBatch } from '../helpers/plain-batch.ts'
import { check, checkAsync } from '../helpers/properties.ts'
import type { DigestRecord } from '../helpers/records.ts'

const type = avroType(recordSchema)
const everything = { from: 0, to: Infinity }

interface BatchMade {
  readonly bytes: Buffer
  readonly isAppendTime: boolean
  /** What a consumer sees of it. */
  readonly records: readonly DigestRecord[]
}

/** Batches of these records in Kafka's form, some of them with the time of the append. */
function batchesOf(
  records: readonly DigestRecord[],
  cuts: readonly number[],
  appendTimes: readonly bigint[],
): BatchMade[] {
  return runsOf(records, cuts).map((run, n) => {
    const appendTime = appendTimes[n]
    if (appendTime === undefined) return { bytes: encodeBatch(run), isAppendTime: false, records: run }
    const bytes = encodeBatch(run, { attributes: 0b1000, maxTimestamp: appendTime })
    return { bytes, isAppendTime: true, records: run.map(record => ({ ...record, timestamp: appendTime })) }
  })
}

/** Moves batches into blocks of about `blockBytes`, as the backup does: a batch goes on in the next block. */
function blocksOf(
  batches: readonly BatchMade[],
  blockBytes: number,
  window: typeof everything,
  pool: CountingPool,
): AvroBlock[] {
  const blocks = [new AvroBlock(pool, 64)]
  for (const { bytes } of batches) {
    const batch = new RecordBatch(bytes, 0, bytes.length)
    for (const moving = startMoving(batch, batch.payload); ;) {
      const isDone = moveRecords(moving, blocks.at(-1)!, window, blockBytes)
      if (blocks.at(-1)!.length >= blockBytes) blocks.push(new AvroBlock(pool, 64))
      if (isDone) break
    }
  }
  return blocks
}

const withSourceOffset = (record: DigestRecord): DigestRecord => ({
  ...record,
  headers: [...record.headers, [Buffer.from('restore.source-offset'), Buffer.from(String(record.offset))]],
})

const contentOf = ({ timestamp, key, value, headers }: DigestRecord) => ({ timestamp, key, value, headers })

const windows = fc.constantFrom(everything, everything, { from: 10, to: 2 ** 31 }, { from: 2 ** 31, to: 2 ** 52 })

test('records moved into blocks are the records that avsc finds there, whatever the block size, window and append time', () => {
  check(
    fc.property(
      recordLists(12),
      fc.array(fc.nat(), { maxLength: 4 }),
      fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: undefined }), { maxLength: 5 }),
      fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constant(2 ** 20)),
      windows,
      (records, cuts, appendTimes, blockBytes, window) => {
        const batches = batchesOf(
          records,
          cuts,
          appendTimes.map(time => time!),
        )
        const pool = new CountingPool()
        const blocks = blocksOf(batches, blockBytes, window, pool)
        const isWanted = ({ offset }: DigestRecord) => offset >= window.from && offset < window.to
        const expected = batches.flatMap(batch => batch.records).filter(isWanted)
        const inBlocks = blocks.map(block => decodeAvroRecords(type, block.content))
        assert.deepEqual(inBlocks.flat(), expected)
        for (const [n, block] of blocks.entries()) {
          assertFacts(block, inBlocks[n]!, batches)
          // A block ends with the record that filled it.
          const last = inBlocks[n]!.at(-1)
          if (last !== undefined) assert.ok(block.length - encodeAvroRecord(type, last).length < blockBytes)
          if (n < blocks.length - 1) assert.ok(block.length >= blockBytes)
          block.release()
        }
        assert.equal(pool.taken, 0)
      },
    ),
    600,
  )
})

function assertFacts(block: AvroBlock, records: readonly DigestRecord[], batches: readonly BatchMade[]): void {
  const { length } = records
  assert.equal(block.records, length)
  if (length === 0) return
  const times = records.map(({ timestamp }) => timestamp)
  const isAppended = (record: DigestRecord) =>
    batches.find(batch => batch.records.some(({ offset }) => offset === record.offset))!.isAppendTime
  assert.deepEqual(
    {
      firstOffset: block.firstOffset,
      lastOffset: block.lastOffset,
      timestampMin: block.timestampMin,
      timestampMax: block.timestampMax,
      hasCreateTime: block.hasCreateTime,
      hasAppendTime: block.hasAppendTime,
      recordBytesMax: block.recordBytesMax,
    },
    {
      firstOffset: Number(records[0]!.offset),
      lastOffset: Number(records.at(-1)!.offset),
      timestampMin: times.reduce((a, b) => (a < b ? a : b)),
      timestampMax: times.reduce((a, b) => (a > b ? a : b)),
      hasCreateTime: records.some(record => !isAppended(record)),
      hasAppendTime: records.some(isAppended),
      recordBytesMax: Math.max(...records.map(record => encodeAvroRecord(type, record).length)),
    },
  )
}

test('records restored from a block differ from what was backed up by their last header only, in order, stamped, within the limit', async () => {
  await checkAsync(
    fc.asyncProperty(
      recordLists(20),
      fc.oneof(fc.integer({ min: 1, max: 1_500 }), fc.constant(2 ** 20)),
      fc.constantFrom(...BATCH_CODECS),
      fc.record({ from: fc.nat(24), to: fc.nat(24), skip: fc.nat(6) }),
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      async (records, batchBytes, codec, wanted, baseSequence) => {
        const bytes = Buffer.concat(records.map(record => encodeAvroRecord(type, record)))
        const fromOffset = Number(records[wanted.from]?.offset ?? 0n)
        const toOffset = Number(records[wanted.to]?.offset ?? 2n ** 53n - 1n)
        const inSlice = records.filter(({ offset }) => offset >= fromOffset && offset < toOffset)
        const expected = inSlice.slice(wanted.skip)
        const pool = new CountingPool()
        const taken = blockToBatches(
          {
            bytes,
            records: records.length,
            fromOffset,
            toOffset,
            skip: wanted.skip,
            after: Number(records[0]!.offset) - 1,
            coversTo: Number(records.at(-1)!.offset) + 1,
          },
          recordReader,
          batchBytes,
          pool,
        )
        assert.equal(taken.wanted, inSlice.length)
        assert.equal(taken.lastOffset, Number(records.at(-1)!.offset))
        const skipped = inSlice.slice(0, wanted.skip).at(-1)
        assert.equal(taken.lastSkipped, skipped === undefined ? undefined : Number(skipped.offset))

        let sequence = baseSequence
        const restored: DigestRecord[] = []
        for (const { builder, firstOffset, lastOffset } of taken.batches) {
          assert.ok(
            builder.length <= batchBytes || builder.records === 1,
            `${builder.length} bytes in ${builder.records}`,
          )
          const stamp = { producerId: 2n ** 62n + 3n, producerEpoch: 7, baseSequence: sequence }
          const finished = Buffer.from(await builder.finish(codec, stamp))
          const batch = await decoded(finished)
          assertHeader(batch, stamp, codec)
          const own = expected.slice(restored.length, restored.length + batch.records.length)
          assert.deepEqual(
            [firstOffset, lastOffset],
            [own[0], own.at(-1)].map(record => Number(record?.offset)),
          )
          restored.push(...batch.records)
          sequence = (sequence + batch.records.length) % 2 ** 31
          builder.release()
        }
        assert.deepEqual(restored.map(contentOf), expected.map(withSourceOffset).map(contentOf))
        assert.equal(pool.taken, 0)
      },
    ),
    500,
  )
})

/** A batch read by the tests' own reader, once its payload is decompressed. */
async function decoded(batch: Buffer): Promise<PlainBatch> {
  const records = await decompressPayload(BATCH_CODECS[batch.readInt16BE(21) & 7]!, batch.subarray(61))
  return decodeBatches(batch, () => records)[0]!
}

function assertHeader(batch: PlainBatch, stamp: object, codec: (typeof BATCH_CODECS)[number]): void {
  const { producerId, producerEpoch, baseSequence, records } = batch
  assert.deepEqual({ producerId, producerEpoch, baseSequence }, stamp)
  assert.equal(batch.attributes, BATCH_CODECS.indexOf(codec))
  assert.equal(batch.baseOffset, 0n)
  assert.equal(batch.leaderEpoch, -1)
  assert.equal(batch.lastOffsetDelta, records.length - 1)
  assert.equal(batch.baseTimestamp, records[0]!.timestamp)
  assert.equal(
    batch.maxTimestamp,
    records.map(({ timestamp }) => timestamp).reduce((a, b) => (a > b ? a : b)),
  )
  assert.deepEqual(
    records.map(({ offset }) => Number(offset)),
    [...records.keys()],
  )
}

/** All of these records as one block. */
function sliceOf(records: readonly DigestRecord[]): BlockSlice {
  return {
    bytes: Buffer.concat(records.map(record => encodeAvroRecord(type, record))),
    records: records.length,
    fromOffset: 0,
    toOffset: 2 ** 53 - 1,
    skip: 0,
    after: -1,
    coversTo: 2 ** 53 - 1,
  }
}

/** What avsc finds after these records were a batch. */
function backedUp(records: readonly DigestRecord[]): DigestRecord[] {
  const pool = new CountingPool()
  const [block] = blocksOf([{ bytes: encodeBatch(records), isAppendTime: false, records }], 2 ** 30, everything, pool)
  return decodeAvroRecords(type, block!.content)
}

const numbered = (count: number, valueBytes: (n: number) => number): DigestRecord[] =>
  Array.from({ length: count }, (_, n) => ({
    offset: BigInt(1_000_000 + n),
    timestamp: 1_700_000_000_000n + BigInt(n),
    key: Buffer.from(`key ${n}`),
    value: Buffer.alloc(valueBytes(n), n),
    headers: [],
  }))

async function restoredFrom(slice: BlockSlice, batchBytes: number): Promise<PlainBatch[]> {
  const pool = new CountingPool()
  const { batches } = blockToBatches(slice, recordReader, batchBytes, pool)
  const restored: PlainBatch[] = []
  for (const { builder } of batches) {
    restored.push(...decodeBatches(Buffer.from(await builder.finish('none', stamp))))
    builder.release()
  }
  assert.equal(pool.taken, 0)
  return restored
}

const stamp = { producerId: 5n, producerEpoch: 0, baseSequence: 0 }

function assertBalanced(batches: readonly PlainBatch[], what: string): void {
  const counts = batches.map(({ records }) => records.length)
  assert.ok(Math.min(...counts) >= Math.max(...counts) / 2, `${what}: ${counts.join(', ')} records`)
}

test('a batch may be stamped again for another place in the sequence', async () => {
  const { batches } = blockToBatches(sliceOf(numbered(1, () => 10)), recordReader, 1_000, new CountingPool())
  const batch = await batches[0]!.builder.finish('none', stamp)
  stampBatch(batch, { ...stamp, baseSequence: 2 ** 31 - 1 })
  assert.equal(decodeBatches(batch)[0]!.baseSequence, 2 ** 31 - 1)
})

describe('batches', () => {
  test('of one block are about equally large, with no crumb at the end', async () => {
    for (const valueBytes of [0, 10, 150, 1_000, 10_000]) {
      const slice = sliceOf(numbered(Math.ceil(1_000_000 / (valueBytes + 20)), () => valueBytes))
      for (const batchBytes of [1_000_000, 900_000, 500_000, 300_000]) {
        assertBalanced(await restoredFrom(slice, batchBytes), `values of ${valueBytes} in batches of ${batchBytes}`)
      }
    }
    // Records that grow by more than is expected: one byte of timestamp becomes a delta of ten.
    const records = numbered(4_000, () => 0).map((record, n) => ({ ...record, timestamp: n === 0 ? 2n ** 62n : -1n }))
    for (let batchBytes = 8_000; batchBytes < 16_000; batchBytes += 500)
      assertBalanced(await restoredFrom(sliceOf(records), batchBytes), `growing ones in batches of ${batchBytes}`)
  })

  test('hold a single record that is larger than they may be, alone', async () => {
    const records = numbered(9, n => (n % 3 === 1 ? 5_000 : 20))
    const counts = (await restoredFrom(sliceOf(records), 1_000)).map(batch => batch.records.length)
    assert.deepEqual(counts, [1, 1, 2, 1, 2, 1, 1])
  })
})

test('10,000 headers survive in order, with their duplicates, nulls and odd names', async () => {
  const headers = Array.from({ length: 10_000 }, (_, n) => {
    const name = [Buffer.from('__proto__'), Buffer.from('constructor'), Buffer.alloc(0), Buffer.from([0xff, 0xfe])][
      n % 4
    ]!
    return [name, n % 3 === 0 ? null : Buffer.from(String(n).repeat(n % 50))] as const
  })
  const record = { offset: 7n, timestamp: -1n, key: null, value: null, headers }
  const bytes = encodeBatch([record])
  const pool = new CountingPool()
  const block = new AvroBlock(pool, 64)
  const batch = new RecordBatch(bytes, 0, bytes.length)
  assert.ok(moveRecords(startMoving(batch, batch.payload), block, everything, 1))
  assert.deepEqual(decodeAvroRecords(type, block.content), [record])
  const [restored] = await restoredFrom({ ...sliceOf([]), bytes: Buffer.from(block.content), records: 1 }, 1_000)
  assert.deepEqual(restored!.records.map(contentOf), [record].map(withSourceOffset).map(contentOf))
})

test('headers are counted right where their count gets a byte more', async () => {
  for (const count of [62, 63, 64, 8_190, 8_191, 8_192]) {
    const headers = Array.from({ length: count }, () => [Buffer.alloc(0), Buffer.alloc(0)] as const)
    const record = { offset: 7n, timestamp: 5n, key: null, value: null, headers }
    assert.deepEqual(backedUp([record]), [record])
    const [restored] = await restoredFrom(sliceOf([record]), 1_000)
    assert.deepEqual(restored!.records.map(contentOf), [record].map(withSourceOffset).map(contentOf))
  }
})

test('timestamps come through, however far one lies from the next', async () => {
  const edges = [0n, 1n, 2n ** 31n, 2n ** 48n, 2n ** 50n, 2n ** 51n, 2n ** 52n, 2n ** 53n, 2n ** 62n, 2n ** 63n]
  const times = edges
    .flatMap(edge => [edge - 1n, edge, -edge, -edge - 1n])
    .filter(time => time === BigInt.asIntN(64, time))
  for (const first of times) {
    const records = [first, ...times].map((timestamp, n) => ({
      ...numbered(1, () => 1)[0]!,
      offset: BigInt(n),
      timestamp,
    }))
    assert.deepEqual(backedUp(records), records)
    const [restored] = await restoredFrom(sliceOf(records), 100_000)
    assert.deepEqual(restored!.records.map(contentOf), records.map(withSourceOffset).map(contentOf))
    assert.equal(restored!.maxTimestamp, 2n ** 63n - 1n)
  }
})

test('a header restore.source-offset of an earlier restore stays, and the new one is the last', async () => {
  const before = withSourceOffset({ ...numbered(1, () => 3)[0]!, offset: 999n })
  const [restored] = await restoredFrom(sliceOf([{ ...before, offset: 1_000n }]), 1_000)
  assert.deepEqual(
    restored!.records[0]!.headers.map(([name, value]) => `${String(name)}=${String(value)}`),
    ['restore.source-offset=999', 'restore.source-offset=1000'],
  )
})

test('the source offset is written right where it gets a digit more, goes on after a gap, and at its largest', async () => {
  const offsets = [0, 1, 9, 10, 11, 98, 99, 100, 999, 1_000, 1_009, 1_010, 123_456, 2 ** 32, 2 ** 53 - 3, 2 ** 53 - 2]
  const records = offsets.map(offset => ({ ...numbered(1, () => 1)[0]!, offset: BigInt(offset) }))
  const [restored] = await restoredFrom(sliceOf(records), 100_000)
  assert.deepEqual(
    restored!.records.map(({ headers }) => String(headers.at(-1)![1])),
    offsets.map(String),
  )
})
