import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { frameBlock } from '../../src/format/ocf/block-frame.ts'
import { encodeContainerHeader } from '../../src/format/ocf/container-header.ts'
import { ContainerReader } from '../../src/format/ocf/container-reader.ts'
import type { ContainerTotals } from '../../src/format/ocf/container-reader.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { withinCpuTime } from '../helpers/cpu-time.ts'
import { zigZag } from '../helpers/plain-batch.ts'
import { checkAsync } from '../helpers/properties.ts'
import { Dice } from '../helpers/seed.ts'

const sync = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const header = encodeContainerHeader(new Map([['avro.codec', 'null']]), sync)
const dice = new Dice('container reader')
const blocks = [1, 0, 63, 64, 100_000, 5].map((bytes, n) => ({ records: n * 70 + 1, content: dice.bytes(bytes) }))
const framed = Buffer.concat(blocks.flatMap(({ records, content }) => frameBlock(records, content, sync)))
const file = Buffer.concat([header, framed])

/** Pieces of these sizes, over and over; counts how often the source was left. */
function pieces(bytes: Buffer, sizes: readonly number[]) {
  const source = {
    isOpen: true,
    async *[Symbol.asyncIterator]() {
      try {
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const size = sizes[n % sizes.length]!
          yield bytes.subarray(at, at + size)
          at += size
        }
      } finally {
        source.isOpen = false
      }
    },
  }
  return source
}

async function readAll(
  bytes: Buffer,
  { sizes = [50_000], maxBytes = 1_000_000 } = {},
): Promise<{ blocks: { records: number; content: Buffer }[]; totals: ContainerTotals }> {
  const pool = new CountingPool()
  const source = pieces(bytes, sizes)
  try {
    const reader = await ContainerReader.open(source, pool)
    const found: { records: number; content: Buffer }[] = []
    try {
      for (;;) {
        using block = await reader.next(maxBytes)
        if (block === undefined) break
        found.push({ records: block.records, content: Buffer.from(block.compressed) })
      }
    } finally {
      await reader.close()
    }
    return { blocks: found, totals: reader.totals() }
  } finally {
    assert.equal(pool.taken, 0, 'a buffer was not given back')
    assert.equal(source.isOpen, false, 'the source was not let go')
  }
}

test('blocks are read from pieces of any size, and counted and hashed as they stand in the file', async () => {
  const totals = {
    blocks: blocks.length,
    records: blocks.reduce((sum, { records }) => sum + records, 0),
    bytes: framed.length,
    sha256: createHash('sha256').update(framed).digest('hex'),
  }
  for (const sizes of [[1_000_000], [7], [1, 0, 2, 0, 0, 3], [16], [header.length, 1], [header.length + 1, 40_000]])
    assert.deepEqual(await readAll(file, { sizes }), { blocks, totals }, String(sizes))
  await checkAsync(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 }), async sizes => {
      assert.deepEqual(await readAll(file, { sizes }), { blocks, totals })
    }),
    20,
  )
})

test('a file without blocks is read', async () => {
  const sha256 = createHash('sha256').digest('hex')
  assert.deepEqual(await readAll(header), { blocks: [], totals: { blocks: 0, records: 0, bytes: 0, sha256 } })
})

test('a file that ends inside its header or inside a block is an error, one that ends between blocks is left to the totals', async () => {
  const short = Buffer.concat([
    header,
    ...blocks.slice(0, 4).flatMap(({ records, content }) => frameBlock(records, content, sync)),
  ])
  const ends = [header.length]
  for (const { records, content } of blocks.slice(0, 4))
    ends.push(ends.at(-1)! + Buffer.concat(frameBlock(records, content, sync)).length)
  for (let length = 0; length < short.length; length++) {
    const cut = short.subarray(0, length)
    if (ends.includes(length)) assert.equal((await readAll(cut)).blocks.length, ends.indexOf(length))
    else await assert.rejects(readAll(cut), { name: 'DecodeError', message: /the file ends/ }, `${length} bytes`)
  }
})

describe('a block is refused', () => {
  const number = (value: number | bigint) => zigZag(BigInt(value))
  const content = Buffer.from('content')
  const cases: [string, Buffer, RegExp][] = [
    ['without records', Buffer.concat([number(0), number(0), sync]), /of 0 records/],
    ['without records that has a size', Buffer.concat([number(0), number(7), content, sync]), /of 0 records/],
    ['with a negative count', Buffer.concat([number(-1), number(7), content, sync]), /of -1 records/],
    ['with 2^29 records', Buffer.concat([number(2 ** 29), number(7), content, sync]), /of 536870912 records/],
    ['with 2^62 records', Buffer.concat([number(2n ** 62n), number(7), content, sync]), /no safe integer/],
    ['with a negative size', Buffer.concat([number(1), number(-7), content, sync]), /of -7 bytes/],
    ['of 2^40 bytes', Buffer.concat([number(1), number(2n ** 40n), content, sync]), /at most 1000000/],
    ['of 2^62 bytes', Buffer.concat([number(1), number(2n ** 62n), content, sync]), /no safe integer/],
    ['larger than the limit', Buffer.concat([number(1), number(1_000_001), Buffer.alloc(1_000_001), sync]), /at most/],
    [
      'with another sync marker',
      Buffer.concat([number(1), number(7), content, Buffer.alloc(16)]),
      /block 0 does not end/,
    ],
    ['with a size too small', Buffer.concat([number(1), number(6), content, sync]), /block 0 does not end/],
    ['with a size too large', Buffer.concat([number(1), number(8), content, sync]), /the file ends/],
    [
      'with a count in eleven bytes',
      Buffer.concat([Buffer.alloc(10, 0x80), Buffer.from([0]), sync]),
      /more than 64 bits/,
    ],
    ['with a count of more than 64 bits', Buffer.concat([Buffer.alloc(9, 0x80), Buffer.from([2]), sync]), /64 bits/],
  ]
  for (const [title, bytes, message] of cases) {
    test(title, async () => {
      const reading = () => assert.rejects(readAll(Buffer.concat([header, bytes])), { name: 'DecodeError', message })
      await withinCpuTime(500, reading)
    })
  }
})

test('an error of the source comes through, and nothing is kept', async () => {
  for (const after of [0, header.length - 1, header.length + 1, header.length + 50]) {
    const pool = new CountingPool()
    const failing = async function* () {
      yield file.subarray(0, after)
      throw new Error('the connection broke')
    }
    const reading = async () => {
      const reader = await ContainerReader.open(failing(), pool)
      for (;;) {
        using block = await reader.next(1_000_000)
        if (block === undefined) return
      }
    }
    await assert.rejects(reading(), { message: 'the connection broke' })
    assert.equal(pool.taken, 0)
  }
})

test('a source whose header is none is let go', async () => {
  const source = pieces(Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(1_000)]), [10])
  await assert.rejects(ContainerReader.open(source, new CountingPool()), { name: 'DecodeError' })
  assert.equal(source.isOpen, false)
})

test('a block that is disposed of twice gives its buffer back once', async () => {
  const pool = new CountingPool()
  const reader = await ContainerReader.open(pieces(file, [1_000]), pool)
  const block = await reader.next(1_000_000)
  block![Symbol.dispose]()
  block![Symbol.dispose]()
  assert.equal(pool.taken, 0)
  await reader.close()
})
