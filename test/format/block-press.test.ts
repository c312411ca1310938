import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { zstdContentBytes } from '../../src/format/batch/zstd-frame.ts'
import { BlockPress } from '../../src/format/ocf/block-press.ts'

const KIB = 1024
const MIB = 1024 * KIB
const SIZES = [0, 1, 100, 64 * KIB, MIB + 17, 9 * MIB]

test('blocks of all sizes, side by side, become frames that hold just them', async () => {
  const press = new BlockPress(1)
  const compressible = SIZES.map(size => Buffer.alloc(size, `block of ${size}`))
  const incompressible = SIZES.map(size => createHash('shake256', { outputLength: size }).update('seed').digest())
  const blocks = [...compressible, ...incompressible, ...compressible]
  const frames = await Promise.all(blocks.map(block => press.compress(block)))
  for (const [n, frame] of frames.entries()) {
    assert.equal(zstdContentBytes(frame), blocks[n]?.length)
    assert.deepEqual(zstdDecompressSync(frame), blocks[n])
  }
})

test('there is room again when blocks are done', async () => {
  const press = new BlockPress(1)
  await press.room() // nothing waits
  let done = 0
  const blocks = Array.from({ length: 40 }, () => press.compress(Buffer.alloc(64 * KIB)).then(() => done++))
  await press.room()
  assert.ok(done >= 30, `room although ${40 - done} blocks were there`)
  await Promise.all(blocks)
})
