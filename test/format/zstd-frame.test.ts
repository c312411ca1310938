import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import { unzstdFrame, zstdContentBytes, zstdHasChecksum } from '../../src/format/batch/zstd-frame.ts'

const frame = (bytes: number, checksum: 0 | 1, pledged: boolean) =>
  zstdCompressSync(Buffer.alloc(bytes, 'ab'), {
    ...(pledged ? { pledgedSrcSize: bytes } : {}),
    params: { [constants.ZSTD_c_checksumFlag]: checksum },
  })

const sizes = [0, 1, 255, 256, 257, 65_535, 65_536, 65_791, 65_792, 1_000_000]

test('the content size that a frame declares is read, in each of its widths', () => {
  for (const bytes of sizes) assert.equal(zstdContentBytes(frame(bytes, 0, true)), bytes)
  const large = Buffer.from('28b52ffde00000000002000000', 'hex')
  assert.equal(zstdContentBytes(large), 2 ** 33)
  const impossible = Buffer.from('28b52ffde0ffffffffffffffff', 'hex')
  assert.equal(zstdContentBytes(impossible), undefined)
})

test('a size behind a dictionary id of any width is found', () => {
  for (const [flag, id] of [
    [1, '01'],
    [2, '0102'],
    [3, '01020304'],
  ] as const) {
    const descriptor = Buffer.from([0b0110_0000 | flag])
    const bytes = Buffer.concat([
      Buffer.from('28b52ffd', 'hex'),
      descriptor,
      Buffer.from(id, 'hex'),
      Buffer.from([1, 0]),
    ])
    assert.equal(zstdContentBytes(bytes), 257)
  }
})

test('a frame that was streamed declares no size', async () => {
  const stream = createZstdCompress()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.write('a'.repeat(1_000))
  stream.end('b')
  await new Promise(resolve => stream.once('end', resolve))
  const streamed = Buffer.concat(chunks)
  assert.equal(zstdContentBytes(streamed), undefined)
  assert.equal((await unzstdFrame(streamed, 10, 10_000)).content.length, 1_001)
})

test('what is no frame, or too short for one, declares nothing', () => {
  const whole = frame(70_000, 1, true)
  for (let length = 0; length < 9; length++) assert.equal(zstdContentBytes(whole.subarray(0, length)), undefined)
  assert.equal(zstdContentBytes(Buffer.from('not a frame at all')), undefined)
  assert.equal(zstdHasChecksum(Buffer.from('not a frame at all')), false)
  assert.equal(zstdHasChecksum(whole.subarray(0, 4)), false)
})

test('a frame says whether it ends in a checksum', () => {
  for (const bytes of sizes) {
    assert.equal(zstdHasChecksum(frame(bytes, 1, true)), true)
    assert.equal(zstdHasChecksum(frame(bytes, 0, true)), false)
    assert.equal(zstdHasChecksum(frame(bytes, 1, false)), true)
  }
})

test('one frame is decoded, and how long it was is said whatever follows and however large the content', async () => {
  for (const bytes of sizes) {
    for (const rest of [Buffer.alloc(0), Buffer.from('garbage'), frame(bytes, 1, true)]) {
      const first = frame(bytes, 1, true)
      const { content, frameBytes } = await unzstdFrame(Buffer.concat([first, rest]), 100, 2_000_000)
      assert.equal(content.length, bytes)
      assert.equal(frameBytes, first.length)
    }
  }
})

test('content beyond the limit is refused', async () => {
  await assert.rejects(unzstdFrame(frame(1_000_000, 1, true), 100, 999_999))
  await assert.rejects(unzstdFrame(frame(1_000_000, 1, false), 100, 999_999))
  assert.equal((await unzstdFrame(frame(1_000_000, 1, true), 100, 1_000_000)).content.length, 1_000_000)
})
