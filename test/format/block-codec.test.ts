import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { zstdContentBytes, zstdHasChecksum } from '../../src/format/batch/zstd-frame.ts'
import { compressPayload } from '../../src/format/batch/compression.ts'
import { compressBlock, decompressBlock } from '../../src/format/ocf/block-codec.ts'
import type { BlockCodec } from '../../src/format/ocf/block-codec.ts'
import { withinCpuTime } from '../helpers/cpu-time.ts'
import { Dice } from '../helpers/seed.ts'

const dice = new Dice('block codec')
const contents = [Buffer.from('x'), Buffer.alloc(1_000_000), dice.bytes(70_000), Buffer.from('abc'.repeat(100_000))]
const limit = 1_000_000
const zstdMagic = Buffer.from('28b52ffd', 'hex')

test('a block of ours is one zstd frame that says its size and ends in a checksum, at every level', async () => {
  for (const content of contents) {
    for (const level of [1, 3, 9]) {
      const block = await compressBlock(content, level)
      assert.equal(zstdContentBytes(block), content.length)
      assert.equal(zstdHasChecksum(block), true)
      assert.deepEqual(zstdDecompressSync(block), content)
      assert.deepEqual(await decompressBlock('zstandard', block, limit), content)
    }
  }
})

test('a block whose frame is exactly as long as its content is one frame, too', async () => {
  let found = 0
  for (let length = 30; length < 400; length++) {
    for (let repeated = 10; repeated < 40; repeated++) {
      const content = Buffer.concat([dice.bytes(length), Buffer.alloc(repeated)])
      const block = await compressBlock(content, 1)
      const payload = await compressPayload('zstd', content)
      if (block.length !== content.length && payload.length !== content.length) continue
      // Node makes a second, empty frame when the first one fills its buffer to the last byte.
      assert.equal(block.lastIndexOf(zstdMagic), 0)
      assert.equal(payload.lastIndexOf(zstdMagic), 0)
      found++
    }
  }
  assert.ok(found > 20, `only ${found} contents were of that kind`)
})

test('blocks of every codec are decoded', async () => {
  for (const content of contents) {
    assert.deepEqual(await decompressBlock('null', content, limit), content)
    assert.deepEqual(await decompressBlock('deflate', deflateRawSync(content), limit), content)
    assert.deepEqual(await decompressBlock('zstandard', zstdCompressSync(content), limit), content)
  }
})

test('a flipped bit in a frame with a checksum is found, or leaves the content as it was', async () => {
  const content = Buffer.concat([Buffer.from('Odradek '.repeat(30)), dice.bytes(40)])
  const block = await compressBlock(content, 1)
  for (let bit = 0; bit < block.length * 8; bit++) {
    const flipped = Buffer.from(block)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    try {
      const read = await decompressBlock('zstandard', flipped, limit)
      assert.deepEqual(read, content, `bit ${bit}`)
    } catch (error) {
      assert.equal((error as Error).name, 'DecodeError')
    }
  }
})

describe('a block is refused', () => {
  const frame = zstdCompressSync(contents[3]!)
  const stream = deflateRawSync(contents[3]!)
  const cases: [string, BlockCodec, Buffer, RegExp][] = [
    [
      'of zstd with bytes behind it',
      'zstandard',
      Buffer.concat([frame, Buffer.from('more')]),
      /cannot be decompressed/,
    ],
    ['of no zstd', 'zstandard', Buffer.from('plain text'), /cannot be decompressed/],
    ['of zstd without a byte', 'zstandard', Buffer.alloc(0), /cannot be decompressed/],
    ['of zstd that is cut', 'zstandard', frame.subarray(0, -1), /cannot be decompressed/],
    ['of deflate with bytes behind it', 'deflate', Buffer.concat([stream, Buffer.from('x')]), /1 bytes behind a defl/],
    ['of no deflate', 'deflate', Buffer.from('plain text'), /cannot be decompressed/],
    ['of deflate without a byte', 'deflate', Buffer.alloc(0), /cannot be decompressed/],
    ['of deflate that is cut', 'deflate', stream.subarray(0, -1), /cannot be decompressed/],
  ]
  for (const [title, codec, block, message] of cases)
    test(title, () => assert.rejects(decompressBlock(codec, block, limit), { name: 'DecodeError', message }))
})

describe('a bomb is refused in bounded time and memory:', () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  const honest = zstdCompressSync(zeros, { pledgedSrcSize: zeros.length })
  /** A frame that says nothing of its size: one block of raw bytes and thousands that repeat a byte 128 KiB long. */
  const silent = Buffer.concat([
    Buffer.from('28b52ffd0058', 'hex'),
    ...Array.from({ length: 500 }, (_, n) => Buffer.from([n === 499 ? 3 : 2, 0, 0x10, 0x00])),
  ])
  const lying = Buffer.from(honest)
  assert.equal(lying.readUInt32LE(lying.indexOf(zeros.length & 0xff, 5)), zeros.length)
  lying.writeUInt32LE(500, lying.indexOf(zeros.length & 0xff, 5))
  const cases: Record<string, [BlockCodec, Buffer]> = {
    'a frame that says it is large': ['zstandard', honest],
    'a frame that does not say so': ['zstandard', silent],
    'a frame that says it is small': ['zstandard', lying],
    'a deflate stream': ['deflate', deflateRawSync(zeros)],
    'a frame of 2^60 bytes': ['zstandard', Buffer.from('28b52ffde0000000000000001000', 'hex')],
  }
  for (const [title, [codec, block]] of Object.entries(cases)) {
    test(title, async () => {
      const before = process.memoryUsage().rss
      await withinCpuTime(1_000, () => assert.rejects(decompressBlock(codec, block, limit), { name: 'DecodeError' }))
      assert.ok(process.memoryUsage().rss - before < 50 * 1024 * 1024)
    })
  }

  test('64 MB of zeros in 2 KB would be decoded, were it not for the limit', async () => {
    assert.equal((await decompressBlock('zstandard', silent, 64 * 1024 * 1024)).length, 500 * 128 * 1024)
  })
})

test('a block of the codec null is its content', async () => {
  const block = Buffer.from('content')
  assert.equal(await decompressBlock('null', block, 7), block)
})
