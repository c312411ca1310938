import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import { unzstd, zstdContentBytes, zstdFrameBound, zstdHasChecksum } from '../../src/format/batch/zstd-frame.ts'

const params = { [constants.ZSTD_c_checksumFlag]: 1 }

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
  assert.equal((await unzstd(streamed, 10_000)).length, 1_001)
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

test('the content of all frames comes out, whatever its size', async () => {
  for (const a of sizes) {
    for (const b of sizes) {
      const content = await unzstd(Buffer.concat([frame(a, 1, true), frame(b, 0, false)]), a + b + 1)
      assert.equal(content.length, a + b)
    }
  }
})

test('bytes behind a frame that are no frame are an error, whatever its size', async () => {
  for (const bytes of sizes)
    for (const garbage of ['garbage', '\0', '\u0028'])
      await assert.rejects(unzstd(Buffer.concat([frame(bytes, 1, true), Buffer.from(garbage)]), 2_000_000))
})

test('content beyond the limit is refused, however it is spread over frames', async () => {
  const half = frame(500_000, 1, true)
  const empty = frame(0, 1, true)
  for (const bytes of [frame(1_000_000, 1, true), frame(1_000_000, 1, false), Buffer.concat([half, empty, half])]) {
    await assert.rejects(unzstd(bytes, 999_999))
    assert.equal((await unzstd(Buffer.concat([bytes, empty]), 1_000_000)).length, 1_000_000)
  }
  await assert.rejects(unzstd(Buffer.concat([half, half, frame(1, 1, true)]), 1_000_000))
})

test('the bound of a frame holds for what does not compress', () => {
  for (let bytes = 0; bytes < 3_000; bytes++) {
    const noise = Buffer.from(Array.from({ length: bytes }, (_, n) => (n * 2_654_435_761) >>> 13))
    for (const pledgedSrcSize of [bytes, undefined])
      assert.ok(
        zstdCompressSync(noise, { ...(pledgedSrcSize === undefined ? {} : { pledgedSrcSize }), params }).length <
          zstdFrameBound(bytes),
      )
  }
})
