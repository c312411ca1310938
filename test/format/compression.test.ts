import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { compressPayload, decompressPayload } from '../../src/format/batch/compression.ts'
import { BATCH_CODECS } from '../../src/format/batch/record-batch.ts'
import { DecodeError } from '../../src/format/batch/varint.ts'
import { Dice } from '../helpers/seed.ts'

const dice = new Dice('compression')
const text = Buffer.from('The castle hill was hidden, veiled in mist and darkness. '.repeat(40))
const contents = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  text,
  zeros: Buffer.alloc(300_000),
  noise: dice.bytes(70_000),
  'a little of both': Buffer.concat([text, dice.bytes(100), text, Buffer.alloc(5_000), dice.bytes(3)]),
  'a megabyte': Buffer.concat(Array.from({ length: 500 }, () => Buffer.concat([text, dice.bytes(4)]))),
}

for (const codec of BATCH_CODECS) {
  describe(`${codec} payloads`, () => {
    for (const [what, content] of Object.entries(contents)) {
      test(`of ${what} come back`, async () => {
        assert.deepEqual(await decompressPayload(codec, await compressPayload(codec, content)), content)
      })
    }

    test('that are cut anywhere are an error, or less of the same', async () => {
      const content = contents['a little of both']
      const payload = await compressPayload(codec, content)
      for (let length = 1; length < payload.length; length++) {
        try {
          const read = await decompressPayload(codec, payload.subarray(0, length))
          // LZ4's reader takes the end of a block for the end of the frame: the batch's count of records tells then.
          assert.ok(codec === 'lz4' || codec === 'none')
          assert.deepEqual(read, content.subarray(0, read.length))
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error))
        }
      }
    })

    test('with flipped bits are an error or something else, and nothing worse', async () => {
      const payload = await compressPayload(codec, contents['a little of both'])
      for (let n = 0; n < 400; n++) {
        const flipped = Buffer.from(payload)
        flipped[dice.between(0, payload.length - 1)]! ^= 1 << dice.between(0, 7)
        await decompressPayload(codec, flipped).catch((error: unknown) =>
          assert.ok(error instanceof DecodeError, String(error)),
        )
      }
    })
  })
}

test('gzip and zstd payloads of ours are what Node makes of them', async () => {
  for (const content of [text, contents.noise, contents['a megabyte']]) {
    assert.deepEqual(gunzipSync(await compressPayload('gzip', content)), content)
    assert.deepEqual(zstdDecompressSync(await compressPayload('zstd', content)), content)
  }
})

// ---- what other writers do; Kafka's own classes read each of these, or refuse it where an error is expected here

const more = Buffer.from('a second part')
const both = Buffer.concat([text, more])
const skippable = Buffer.from('502a4d180400000001020304', 'hex')

test('a zstd payload of several frames is read to its end', async () => {
  const frames = [zstdCompressSync(text), zstdCompressSync(more)]
  assert.deepEqual(await decompressPayload('zstd', Buffer.concat(frames)), both)
  const large = zstdCompressSync(contents.noise)
  assert.deepEqual(
    await decompressPayload('zstd', Buffer.concat([large, ...frames, large])),
    Buffer.concat([contents.noise, both, contents.noise]),
  )
})

test('frames of a zstd payload that are to be skipped are skipped', async () => {
  const parts = [skippable, zstdCompressSync(text), skippable, zstdCompressSync(more), skippable]
  assert.deepEqual(await decompressPayload('zstd', Buffer.concat(parts)), both)
})

test('bytes behind a zstd payload that are no frame are an error', async () => {
  for (const extra of [Buffer.from('garbage!'), Buffer.from([0]), skippable.subarray(0, 7)])
    await assert.rejects(decompressPayload('zstd', Buffer.concat([zstdCompressSync(text), extra])), DecodeError)
})

test('a gzip payload of several members is read to its end', async () => {
  assert.deepEqual(await decompressPayload('gzip', Buffer.concat([gzipSync(text), gzipSync(more)])), both)
})

const xerialHeader = Buffer.from('82534e41505059000000000100000001', 'hex')
const chunk = (block: Buffer) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(block.length)
  return Buffer.concat([length, block])
}

describe('snappy in the framing of the Java library', () => {
  test('is read, with any number of blocks, and with a second header where streams were joined', async () => {
    const [a, b] = [chunk(await compressPayload('snappy', text)), chunk(await compressPayload('snappy', more))]
    assert.deepEqual(await decompressPayload('snappy', xerialHeader), Buffer.alloc(0))
    assert.deepEqual(await decompressPayload('snappy', Buffer.concat([xerialHeader, a])), text)
    assert.deepEqual(await decompressPayload('snappy', Buffer.concat([xerialHeader, a, b])), both)
    assert.deepEqual(await decompressPayload('snappy', Buffer.concat([xerialHeader, a, xerialHeader, b])), both)
  })

  test('is an error where it is cut', async () => {
    const whole = Buffer.concat([
      xerialHeader,
      chunk(await compressPayload('snappy', text)),
      chunk(Buffer.from([1, 0, 65])),
    ])
    const ends = [xerialHeader.length, whole.length - 7]
    for (let length = 9; length < whole.length; length++) {
      if (ends.includes(length) || length < xerialHeader.length) continue
      await assert.rejects(decompressPayload('snappy', whole.subarray(0, length)), DecodeError, `${length} bytes`)
    }
  })
})

test('a snappy block that claims more than it can hold is refused before room is made for it', async () => {
  for (const claim of ['ffffffff0f', 'ffffffff7f', '8080808004', '80808001', 'ffffffffff01', '8080', '']) {
    const block = Buffer.concat(
      [Buffer.from(claim, 'hex'), Buffer.from([0, 65])].slice(0, claim === '8080' || claim === '' ? 1 : 2),
    )
    await assert.rejects(decompressPayload('snappy', block), {
      name: 'DecodeError',
      message: /claims|without its size/,
    })
    await assert.rejects(decompressPayload('snappy', Buffer.concat([xerialHeader, chunk(block)])), DecodeError)
  }
})
