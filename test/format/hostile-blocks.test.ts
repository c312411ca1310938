import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { DecodeError } from '../../src/format/batch/varint.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { dataKeepReader, recordReader } from '../../src/format/transcode/avro-records.ts'
import type { RecordReader } from '../../src/format/transcode/avro-records.ts'
import { blockToBatches } from '../../src/format/transcode/to-batches.ts'
import { recordLists } from '../helpers/arbitrary-records.ts'
import { avroType, decodeAvroRecords, encodeAvroRecord } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { withinCpuTime } from '../helpers/cpu-time.ts'
import { encodeDataKeep } from '../helpers/data-keep.ts'
import type { DataKeepRecord } from '../helpers/data-keep.ts'
import { decodeBatches, zigZag } from '../helpers/plain-batch.ts'
import { checkAsync } from '../helpers/properties.ts'
import type { DigestRecord } from '../helpers/records.ts'

const type = avroType(recordSchema)
const place = { topic: 'orders', partition: 3 }
const end = 2 ** 53 - 1

interface Restoring {
  readonly reader?: RecordReader
  readonly after?: number
  readonly coversTo?: number
}

/** What a restore makes of a block, with the source offsets back in their place. Checks that nothing keeps a buffer. */
async function restored(bytes: Buffer, records: number, restoring: Restoring = {}): Promise<DigestRecord[]> {
  const { reader = recordReader, after = -1, coversTo = end } = restoring
  const pool = new CountingPool()
  try {
    const slice = { bytes, records, fromOffset: 0, toOffset: end, skip: 0, after, coversTo }
    const made: DigestRecord[] = []
    for (const { builder } of blockToBatches(slice, reader, 400, pool).batches) {
      const batch = await builder.finish('none', { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      made.push(...decodeBatches(Buffer.from(batch))[0]!.records.map(asInSource))
      builder.release()
    }
    return made
  } finally {
    assert.equal(pool.taken, 0, 'a buffer was not given back')
  }
}

function asInSource(record: DigestRecord): DigestRecord {
  return { ...record, offset: BigInt(String(record.headers.at(-1)![1])), headers: record.headers.slice(0, -1) }
}

const records: DigestRecord[] = [
  { offset: 5n, timestamp: 1_700_000_000_000n, key: Buffer.from('k'), value: Buffer.from('value'), headers: [] },
  { offset: 6n, timestamp: -(2n ** 63n), key: null, value: Buffer.alloc(0), headers: [[Buffer.from('a'), null]] },
  {
    offset: 300n,
    timestamp: 2n ** 63n - 1n,
    key: Buffer.alloc(0),
    value: null,
    headers: [
      [Buffer.from('a'), Buffer.from('1')],
      [Buffer.alloc(0), Buffer.alloc(0)],
    ],
  },
]
const block = Buffer.concat(records.map(record => encodeAvroRecord(type, record)))
const keepable: DataKeepRecord[] = records.map(({ headers, ...record }) => ({
  ...record,
  headers: headers.map(([name, value]) => [name, value ?? Buffer.alloc(0)] as const),
}))
const keepBlock = Buffer.concat([
  encodeDataKeep(keepable[0]!, place),
  encodeDataKeep(keepable[1]!, place, [-1]),
  encodeDataKeep(keepable[2]!, place, [1, -1]),
])

const kinds = [
  { title: 'a block of ours', bytes: block, content: records, restoring: {} },
  {
    title: 'a block of kafka-data-keep',
    bytes: keepBlock,
    content: keepable,
    restoring: { reader: dataKeepReader('orders', 3) },
  },
]

for (const { title, bytes, content, restoring } of kinds) {
  describe(title, () => {
    test('is read', async () => assert.deepEqual(await restored(bytes, 3, restoring), content))

    test('that is cut anywhere is an error', async () => {
      for (let length = 0; length < bytes.length; length++)
        await assert.rejects(restored(bytes.subarray(0, length), 3, restoring), DecodeError, `${length} bytes`)
    })

    test('whose count is wrong is an error', async () => {
      for (const count of [0, 1, 2, 4, 5, 1_000, 2 ** 28, 2 ** 53 - 1])
        await assert.rejects(restored(bytes, count, restoring), DecodeError, `${count} records`)
    })

    test('with a byte behind it, or between two records, is an error', async () => {
      for (const byte of [0, 1, 2, 0x80, 0xff]) {
        const extra = Buffer.from([byte])
        await assert.rejects(restored(Buffer.concat([bytes, extra]), 3, restoring), DecodeError)
        await assert.rejects(restored(Buffer.concat([extra, bytes]), 3, restoring), DecodeError)
      }
    })

    test('with offsets at or below what came before, or at or behind the end of its tile, is an error', async () => {
      for (const after of [5, 6, 299, 300, 1_000])
        await assert.rejects(restored(bytes, 3, { ...restoring, after }), { name: 'DecodeError', message: /offset 5/ })
      for (const coversTo of [300, 7])
        await assert.rejects(restored(bytes, 3, { ...restoring, coversTo }), { name: 'DecodeError', message: /offset/ })
      assert.equal((await restored(bytes, 3, { ...restoring, after: 4, coversTo: 301 })).length, 3)
    })
  })
}

test('offsets that do not ascend are an error', async () => {
  for (const order of [
    [1, 0, 2],
    [0, 2, 1],
    [0, 0, 1],
    [2, 1, 0],
  ]) {
    const shuffled = Buffer.concat(order.map(n => encodeAvroRecord(type, records[n]!)))
    await assert.rejects(restored(shuffled, 3), { name: 'DecodeError', message: /offset/ }, String(order))
  }
})

test('a flipped bit leaves a block that reads as avsc reads it, or it is an error', async () => {
  let refused = 0
  for (let bit = 0; bit < block.length * 8; bit++) {
    const flipped = Buffer.from(block)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    if (!(await agreesWithAvsc(flipped, 3))) refused++
  }
  assert.ok(refused > block.length, `only ${refused} of ${block.length * 8} flips were refused`)
})

/** False when the block is refused; throws when it is read and avsc finds something else there. */
async function agreesWithAvsc(bytes: Buffer, count: number): Promise<boolean> {
  let read: DigestRecord[]
  try {
    read = await restored(bytes, count)
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
  assert.deepEqual(read, decodeAvroRecords(type, bytes))
  return true
}

const varint = (value: bigint) => zigZag(value)
const varints = [
  0n,
  1n,
  -1n,
  2n,
  -2n,
  1_000n,
  -1_000n,
  2n ** 31n,
  2n ** 40n,
  -(2n ** 40n),
  2n ** 53n,
  2n ** 62n,
  -(2n ** 63n),
]

const changes = fc.oneof(
  fc.record({ cut: fc.constant(0), bytes: fc.constantFrom(...varints).map(varint), at: fc.nat() }),
  fc.record({ cut: fc.constant(1), bytes: fc.constantFrom(...varints).map(varint), at: fc.nat() }),
  fc.record({ cut: fc.nat(3), bytes: fc.uint8Array({ maxLength: 3 }), at: fc.nat() }),
)

test('whatever the bytes of a block are, it reads as avsc reads it, or it is an error', async () => {
  let refused = 0
  let read = 0
  await checkAsync(
    fc.asyncProperty(recordLists(4), fc.array(changes, { minLength: 1, maxLength: 2 }), async (list, edits) => {
      let bytes = Buffer.concat(list.map(record => encodeAvroRecord(type, record)))
      for (const { at, cut, bytes: more } of edits) {
        const from = at % (bytes.length + 1)
        bytes = Buffer.concat([bytes.subarray(0, from), more, bytes.subarray(from + cut)])
      }
      if (await agreesWithAvsc(bytes, list.length)) read++
      else refused++
    }),
    2_000,
  )
  assert.ok(refused > 500 && read > 50, `${refused} refused, ${read} read: the changes are too coarse or too fine`)
})

describe('a record is refused', () => {
  const long = (value: bigint) => zigZag(value)
  const bytesOf = (...parts: (bigint | string | Buffer)[]) =>
    Buffer.concat(parts.map(part => (typeof part === 'bigint' ? long(part) : Buffer.from(part))))
  const cases: Record<string, Buffer> = {
    'with a union branch of 2': bytesOf(5n, 9n, 2n, 0n, 0n),
    'with a union branch of −1': bytesOf(5n, 9n, -1n, 0n, 0n),
    'with a union branch in two bytes': bytesOf(5n, 9n, Buffer.from([0x80, 0x00]), 0n, 0n),
    'with a key of negative length': bytesOf(5n, 9n, 1n, -1n, 0n, 0n),
    'with a key of 2^40 bytes': bytesOf(5n, 9n, 1n, 2n ** 40n, 0n, 0n),
    'with a key of 2^53 bytes': bytesOf(5n, 9n, 1n, 2n ** 53n, 0n, 0n),
    'with a negative offset': bytesOf(-5n, 9n, 0n, 0n, 0n),
    'with an offset of 2^53': bytesOf(2n ** 53n, 9n, 0n, 0n, 0n),
    'with 2^40 headers': bytesOf(5n, 9n, 0n, 0n, 2n ** 40n, 0n),
    'with −2^40 headers': bytesOf(5n, 9n, 0n, 0n, -(2n ** 40n), 0n, 0n),
    'with 2^62 headers': bytesOf(5n, 9n, 0n, 0n, 2n ** 62n, 0n),
    'with a million headers that are not there': bytesOf(5n, 9n, 0n, 0n, 1_000_000n, 1n, 'a', 0n, 0n),
    'with a length in six bytes, which no broker takes': bytesOf(
      5n,
      9n,
      1n,
      Buffer.from('828080808000', 'hex'),
      'k',
      0n,
      0n,
    ),
    'with a header value of 2^53 bytes': bytesOf(5n, 9n, 0n, 0n, 1n, 1n, 'a', 1n, 2n ** 53n, 0n),
  }
  for (const [title, bytes] of Object.entries(cases)) {
    test(title, async () => {
      await withinCpuTime(500, () => assert.rejects(restored(bytes, 1), DecodeError))
    })
  }
})

test('headers may come in several blocks, with sizes and without, and lose nothing', async () => {
  const headers = Array.from({ length: 7 }, (_, n) => [Buffer.from(`h${n % 3}`), Buffer.from(`${n}`)] as const)
  for (const blocks of [[7], [-7], [1, 1, 1, 1, 1, 1, 1], [-3, 4], [2, -5], [-1, -6]]) {
    const record = { ...keepable[0]!, headers }
    const bytes = encodeDataKeep(record, place, blocks)
    assert.deepEqual(await restored(bytes, 1, { reader: dataKeepReader('orders', 3) }), [record], String(blocks))
  }
})

describe('a file of kafka-data-keep', () => {
  const reader = dataKeepReader('orders', 3)
  test('with a record of another topic is refused, and the message names it', async () => {
    for (const topic of ['payments', 'order', 'ordersx', 'Orders', ''])
      await assert.rejects(restored(encodeDataKeep(keepable[0]!, { ...place, topic }), 1, { reader }), {
        name: 'DecodeError',
        message: `a record of topic ${topic}`,
      })
  })
  test('with a record of another partition is refused, and the message names it', async () => {
    for (const partition of [0, 2, 4, -1])
      await assert.rejects(restored(encodeDataKeep(keepable[0]!, { ...place, partition }), 1, { reader }), {
        name: 'DecodeError',
        message: `a record of partition ${partition}`,
      })
  })
  test('is checked in its last record as in its first, and gives nothing of what came before', async () => {
    const bytes = Buffer.concat([
      encodeDataKeep(keepable[0]!, place),
      encodeDataKeep(keepable[1]!, { ...place, topic: 'payments' }),
    ])
    await assert.rejects(restored(bytes, 2, { reader }), DecodeError)
  })
})
