import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { MagicError, RecordBatch, batchesIn } from '../../src/format/batch/record-batch.ts'
import { recordsIn } from '../../src/format/batch/records.ts'
import { DecodeError } from '../../src/format/batch/varint.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { AvroBlock } from '../../src/format/transcode/avro-block.ts'
import { moveRecords, startMoving } from '../../src/format/transcode/to-avro.ts'
import { recordLists } from '../helpers/arbitrary-records.ts'
import { avroType, decodeAvroRecords } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { decodeBatches, encodeBatch, withChecksum, zigZag } from '../helpers/plain-batch.ts'
import { check } from '../helpers/properties.ts'
import type { DigestRecord } from '../helpers/records.ts'

const type = avroType(recordSchema)

const record = (offset: number, value = 'value'): DigestRecord => ({
  offset: BigInt(offset),
  timestamp: 1_700_000_000_000n,
  key: Buffer.from('key'),
  value: Buffer.from(value),
  headers: [],
})

const log = [[record(10), record(11)], [record(12, 'x'.repeat(100))], [record(20)]].map(records => encodeBatch(records))
const answer = Buffer.concat(log)

/** The batches that pass every check, as bytes. */
function accepted(bytes: Buffer): Buffer[] {
  return [...batchesIn(bytes)].map(batch => {
    batch.check()
    return batch.bytes.subarray(batch.start, batch.end)
  })
}

describe('an answer of three batches', () => {
  test('gives all of them', () => assert.deepEqual(accepted(answer), log))

  test('that is cut anywhere gives the whole ones, and without a whole one it is an error', () => {
    const ends = log.map((_, n) => Buffer.concat(log.slice(0, n + 1)).length)
    for (let length = 1; length < answer.length; length++) {
      const whole = ends.filter(end => end <= length).length
      const cut = answer.subarray(0, length)
      if (whole === 0) assert.throws(() => accepted(cut), DecodeError, `${length} bytes`)
      else assert.deepEqual(accepted(cut), log.slice(0, whole), `${length} bytes`)
    }
  })

  test('that is empty gives none', () => assert.deepEqual(accepted(Buffer.alloc(0)), []))

  test('with any one bit flipped gives no batch with another content', () => {
    const starts = [0, log[0]!.length, log[0]!.length + log[1]!.length]
    for (let bit = 0; bit < answer.length * 8; bit++) {
      const place = (bit >> 3) - starts.findLast(start => start <= bit >> 3)!
      // Kafka's checksum does not cover them: brokers set offset and leader epoch without reading the rest.
      if (place < 8 || (place >= 12 && place < 16)) continue
      const isLength = place >= 8 && place < 12
      const flipped = Buffer.from(answer)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      try {
        const batches = accepted(flipped)
        // A batch that says it is longer than the answer looks cut off, and is fetched again.
        assert.ok(isLength && batches.length > 0, `bit ${bit} was not seen`)
        assert.deepEqual(batches, log.slice(0, batches.length), `bit ${bit}`)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    }
  })

  test('is refused when offsets go back', () => {
    assert.throws(() => accepted(Buffer.concat([log[1]!, log[0]!])), {
      name: 'DecodeError',
      message: /offset 10, where 13/,
    })
    assert.throws(() => accepted(Buffer.concat([log[0]!, log[0]!])), DecodeError)
  })
})

test('every bit of a batch behind its leader epoch is covered by the checksum', () => {
  const [batch] = log
  for (let bit = 16 * 8; bit < batch!.length * 8; bit++) {
    const flipped = Buffer.from(batch!)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(() => accepted(flipped), DecodeError, `bit ${bit}`)
  }
})

describe('a batch is refused', () => {
  const cases: [string, Buffer, RegExp][] = [
    [
      'with more records than offsets',
      encodeBatch([record(5), record(6)], { lastOffsetDelta: 0 }),
      /2 records on 1 off/,
    ],
    ['with a negative count', encodeBatch([record(5)], { count: -1 }), /-1 records/],
    ['with a negative range', encodeBatch([record(5)], { lastOffsetDelta: -1 }), /on 0 offsets/],
    ['that ends above 2^53 − 1', encodeBatch([record(2 ** 53 - 1)], { lastOffsetDelta: 1 }), /above 2\^53 − 1/],
    ['with a negative offset', encodeBatch([], { baseOffset: -1n, lastOffsetDelta: 0 }), /offset -1/],
  ]
  for (const [title, bytes, message] of cases)
    test(title, () => assert.throws(() => accepted(bytes), { name: 'DecodeError', message }))

  for (const length of [-1, 0, 48, 2 ** 31 - 1]) {
    test(`that says it has ${length} bytes`, () => {
      const bytes = Buffer.from(log[0]!)
      bytes.writeInt32BE(length, 8)
      assert.throws(() => accepted(bytes), DecodeError)
    })
  }

  for (const codec of [5, 6, 7]) {
    test(`when its codec is ${codec}`, () => {
      const [batch] = [...batchesIn(encodeBatch([record(5)], { attributes: codec }))]
      assert.throws(() => batch!.codec, { name: 'DecodeError', message: new RegExp(`codec ${codec}`) })
    })
  }

  for (const magic of [3, 127, -1, -128]) {
    test(`when its format is ${magic}, and not for an old one`, () => {
      const bytes = Buffer.from(log[0]!)
      bytes.writeInt8(magic, 16)
      assert.throws(
        () => accepted(bytes),
        error => error instanceof DecodeError && !(error instanceof MagicError),
      )
    })
  }
})

test('the last offset of all is read', () => {
  const [batch] = [...batchesIn(encodeBatch([record(2 ** 53 - 1)]))]
  batch!.check()
  assert.equal([...recordsIn(batch!, batch!.payload)][0]!.offset, 2 ** 53 - 1)
})

// ---- records that are not what their batch says: the checksum is right, so somebody meant it

/** What a reader finds in a batch, or why it finds nothing. */
interface Reading {
  readonly records?: readonly DigestRecord[]
  readonly problem?: string
}

/** Both readers of records, and the plain one of the tests. */
function readings(bytes: Buffer): { single: Reading; moved: Reading; plain: Reading } {
  const batch = new RecordBatch(bytes, 0, bytes.length)
  return {
    single: attempt(() =>
      [...recordsIn(batch, batch.payload)].map(({ offset, headers, ...rest }) => ({
        ...rest,
        offset: BigInt(offset),
        headers: headers.map(({ key, value }) => [key, value] as const),
      })),
    ),
    moved: attempt(() => movedOf(batch)),
    plain: attempt(() => decodeBatches(bytes)[0]!.records, Error),
  }
}

function attempt(read: () => readonly DigestRecord[], expected: new () => Error = DecodeError): Reading {
  try {
    return { records: read() }
  } catch (error) {
    assert.ok(error instanceof expected, String(error instanceof Error ? error.stack : error))
    return { problem: error.message }
  }
}

/** By moveRecords and avsc; checks in passing that what came before a broken record is whole. */
function movedOf(batch: RecordBatch): DigestRecord[] {
  const pool = new CountingPool()
  const block = new AvroBlock(pool, 64)
  try {
    assert.ok(moveRecords(startMoving(batch, batch.payload), block, { from: 0, to: Infinity }, Infinity))
    return decodeAvroRecords(type, Buffer.from(block.content))
  } finally {
    const sound = decodeAvroRecords(type, Buffer.from(block.content))
    assert.equal(sound.length, block.records)
    const times = sound.map(({ timestamp }) => timestamp).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    if (times.length > 0) {
      assert.equal(block.timestampMin, times[0])
      assert.equal(block.timestampMax, times.at(-1))
      assert.equal(block.lastOffset, Number(sound.at(-1)!.offset))
    } else assert.ok(!block.hasCreateTime && !block.hasAppendTime, 'a block without records has a time')
    block.release()
    assert.equal(pool.taken, 0)
  }
}

const body = (...parts: (number | bigint | string)[]) =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : zigZag(BigInt(part)))))
/** A record by its parts: attributes, timestamp delta, offset delta, key, value, headers. */
const recordOf = (...parts: (number | bigint | string)[]) => {
  const content = Buffer.concat([Buffer.from([0]), body(...parts)])
  return Buffer.concat([zigZag(BigInt(content.length)), content])
}
const batchOf = (count: number, ...records: Buffer[]) =>
  encodeBatch([], {
    count,
    lastOffsetDelta: 9,
    baseOffset: 100n,
    baseTimestamp: 5n,
    encodePayload: () => Buffer.concat(records),
  })

describe('a record is refused', () => {
  const one = recordOf(0, 0, -1, -1, 0)
  const cases: Record<string, Buffer> = {
    'whose key runs over its end': batchOf(1, recordOf(0, 0, 5, 'key', -1, 0)),
    'whose key runs into the next record': batchOf(2, recordOf(0, 0, 12, 'key', -1, 0), recordOf(0, 1, -1, -1, 0)),
    'with bytes behind its headers': batchOf(1, recordOf(0, 0, -1, -1, 0, 0)),
    'with a header whose name is null': batchOf(1, recordOf(0, 0, -1, -1, 1, -1, -1)),
    'with fewer headers than it says': batchOf(1, recordOf(0, 0, -1, -1, 2, 1, 'a', -1)),
    'with 2^40 headers': batchOf(1, recordOf(0, 0, -1, -1, 2n ** 40n, 1, 'a', -1)),
    'with 2^62 headers': batchOf(1, recordOf(0, 0, -1, -1, 2n ** 62n, 1, 'a', -1)),
    'with a negative count of headers': batchOf(1, recordOf(0, 0, -1, -1, -1)),
    'with a key of 2^53 bytes': batchOf(1, recordOf(0, 0, 2n ** 53n, 'key', -1, 0)),
    'with a length of 0': batchOf(1, Buffer.from([0])),
    'with a negative length': batchOf(1, body(-1)),
    'with a length beyond the batch': batchOf(1, body(100), one),
    'whose offset is that of the one before': batchOf(2, one, one),
    'whose offset lies before that of the one before': batchOf(2, recordOf(0, 3, -1, -1, 0), recordOf(0, 2, -1, -1, 0)),
    'whose offset lies behind its batch': batchOf(1, recordOf(0, 10, -1, -1, 0)),
    'whose offset lies before its batch': batchOf(1, recordOf(0, -1, -1, -1, 0)),
    'whose offset is no safe integer': batchOf(1, recordOf(0, 2n ** 62n, -1, -1, 0)),
    'that is missing': batchOf(2, one),
    'that nobody counted': batchOf(1, one, recordOf(0, 1, -1, -1, 0)),
    'with a byte behind it': batchOf(1, one, Buffer.from([0])),
    'with a timestamp that does not end': batchOf(1, Buffer.from([20, 0, ...Array<number>(10).fill(0x80)])),
  }
  for (const [title, bytes] of Object.entries(cases)) {
    test(title, () => {
      const { single, moved } = readings(bytes)
      assert.ok(single.problem !== undefined, 'one by one')
      assert.ok(moved.problem !== undefined, 'in bulk')
    })
  }
})

test('a negative length other than −1 is null, as it is for the Java client', () => {
  const { single, moved, plain } = readings(batchOf(1, recordOf(0, 0, -2, -7, 2, 1, 'h', -9, 0, -(2 ** 31))))
  assert.deepEqual(plain.records, [
    {
      offset: 100n,
      timestamp: 5n,
      key: null,
      value: null,
      headers: [
        [Buffer.from('h'), null],
        [Buffer.alloc(0), null],
      ],
    },
  ])
  assert.deepEqual(single, plain)
  assert.deepEqual(moved, plain)
})

/** Changes of a payload that a random byte seldom hits. */
const changes = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('set' as const),
    at: fc.nat(),
    byte: fc.constantFrom(0, 1, 2, 3, 0x7f, 0x80, 0x81, 0xff),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    bytes: fc.constantFrom(...[0n, -1n, -2n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)].map(zigZag)),
  }),
)

function changed(batch: Buffer, change: typeof changes extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const at = 61 + (change.at % Math.max(batch.length - 61, 1))
  const copy = Buffer.from(batch)
  if (change.kind === 'flip') copy[at]! ^= 1 << change.bit
  if (change.kind === 'set') copy[at] = change.byte
  const bytes =
    change.kind === 'cut'
      ? Buffer.concat([copy.subarray(0, at), copy.subarray(at + change.length)])
      : change.kind === 'insert'
        ? Buffer.concat([copy.subarray(0, at), change.bytes, copy.subarray(at)])
        : copy
  bytes.writeInt32BE(bytes.length - 12, 8)
  return withChecksum(bytes)
}

test('whatever the bytes of a batch are, both readers see the same records in them, or an error', () => {
  let refused = 0
  let read = 0
  check(
    fc.property(recordLists(5), fc.array(changes, { minLength: 1, maxLength: 3 }), (records, list) => {
      const bytes = list.reduce(changed, encodeBatch(records))
      const { single, moved, plain } = readings(bytes)
      if (single.problem !== undefined || moved.problem !== undefined) {
        assert.ok(
          single.problem !== undefined && moved.problem !== undefined,
          JSON.stringify([single.problem, moved.problem]),
        )
        refused++
      } else {
        assert.deepEqual(single, plain)
        assert.deepEqual(moved, plain)
        read++
      }
    }),
    3_000,
  )
  assert.ok(refused > 100 && read > 100, `${refused} refused, ${read} read: the changes are too coarse or too fine`)
})
