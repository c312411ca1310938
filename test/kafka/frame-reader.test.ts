import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { FrameReader } from '../../src/kafka/kafkajs/frame-reader.ts'
import type { Frame } from '../../src/kafka/kafkajs/frame-reader.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { check } from '../helpers/properties.ts'

const KIB = 1024
const answers = [answer(1, 0), answer(2, 1), answer(3, 300), answer(2 ** 31 - 1, 70)]

test('answers come out whole and in order, wherever their bytes were split', () => {
  const bytes = Buffer.concat(answers)
  const whole = framesOf([bytes])
  assert.deepEqual(
    whole.map(({ id, payload }) => [id, payload.length]),
    [
      [1, 0],
      [2, 1],
      [3, 300],
      [2 ** 31 - 1, 70],
    ],
  )
  for (let at = 0; at <= bytes.length; at++) {
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
    assert.deepEqual(framesOf([head, tail]), whole, `split at ${at}`)
  }
  assert.deepEqual(framesOf([...bytes].map(byte => Buffer.of(byte))), whole)
})

test('large answers, too, in any chunks, and the chunks may be overwritten at once', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 80 * KIB }), { minLength: 1, maxLength: 6 })
  const cuts = fc.array(fc.integer({ min: 1, max: 64 * KIB }), { minLength: 1, maxLength: 20 })
  check(
    fc.property(sizes, cuts, (payloads, chunks) => {
      const bytes = Buffer.concat(payloads.map((size, id) => answer(id, size)))
      const frames = framesOf(cut(bytes, chunks))
      assert.deepEqual(
        frames.map(({ payload }) => payload.length),
        payloads,
      )
      for (const [id, { payload }] of frames.entries())
        assert.deepEqual(payload, answer(id, payload.length).subarray(8))
    }),
    100,
  )
})

test('bytes that were read right into their place come out the same, and nothing is written behind them', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 80 * KIB }), { minLength: 1, maxLength: 6 })
  const reads = fc.array(fc.integer({ min: 1, max: 64 * KIB }), { minLength: 1, maxLength: 20 })
  check(
    fc.property(sizes, reads, (payloads, lengths) => {
      const bytes = Buffer.concat(payloads.map((size, id) => answer(id, size)))
      const frames: Frame[] = []
      const reader = new FrameReader(new BufferPool(0), (_, frame) => frames.push(frame))
      const between = Buffer.alloc(KIB)
      let inPlace = 0
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const room = reader.place ?? between
        const read = bytes.copy(room, 0, at, at + lengths[turn % lengths.length]!)
        if (room !== between) inPlace += read
        at += read
        reader.read(room.subarray(0, read))
        between.fill(0xee)
      }
      // What begins an answer comes along with the end of the one before it.
      assert.ok(inPlace >= bytes.length - payloads.length * (KIB + 3))
      assert.deepEqual(
        frames.map(({ payload }) => payload),
        payloads.map((size, id) => answer(id, size).subarray(8)),
      )
    }),
    100,
  )
})

test('what is no answer of a broker is refused at its first four bytes, with what they say', () => {
  const refusals: [bytes: Buffer, says: RegExp][] = [
    [Buffer.from('HTTP/1.1 400 Bad Request'), /begins with 'HTTP': this is no Kafka broker/],
    [Buffer.from('220 mail.example.com ESMTP'), /begins with '220 '/],
    [Buffer.from('SSH-2.0-OpenSSH'), /begins with 'SSH-'/],
    [Buffer.from('-ERR unknown command'), /begins with '-ERR'/],
    [Buffer.from('15030300020250', 'hex'), /speaks TLS/],
    [Buffer.from('00000000', 'hex'), /begins with '0x00000000'/],
    [Buffer.from('00000003', 'hex'), /0x00000003/],
    [Buffer.from('ffffffff', 'hex'), /0xffffffff/],
  ]
  for (const [bytes, says] of refusals) assert.throws(() => framesOf([bytes]), says)
})

test('a first answer of more than a mebibyte is none; later ones may have a gibibyte, and no more', () => {
  const size = (bytes: number) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(bytes)
    return head
  }
  assert.throws(() => framesOf([size(KIB * KIB + 1)]))
  const pool = new (class extends BufferPool {
    override take(): Buffer {
      return Buffer.alloc(0) // nobody wants a gibibyte in a test
    }
  })(0)
  assert.doesNotThrow(() => framesOf([answer(1, 1), size(1024 ** 3)], pool))
  assert.throws(() => framesOf([answer(1, 1), size(1024 ** 3 + 1)], pool), /no Kafka broker/)
})

test('a buffer of the pool comes back once, however often its frame is disposed of; small answers take none', () => {
  const pool = new CountingPool()
  const frames: Frame[] = []
  const reader = new FrameReader(pool, (_, frame) => frames.push(frame))
  reader.read(answer(1, 100))
  assert.equal(pool.taken, 0)
  reader.read(answer(2, 40 * KIB))
  reader.read(answer(3, 50 * KIB))
  assert.equal(pool.taken, 2)
  for (const frame of [...frames, ...frames]) frame[Symbol.dispose]()
  assert.equal(pool.taken, 0)
})

/** The bytes of an answer: size, correlation id, payload. */
function answer(id: number, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + payloadBytes, id % 251)
  bytes.writeInt32BE(4 + payloadBytes, 0)
  bytes.writeInt32BE(id, 4)
  return bytes
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + lengths[turn % lengths.length]!
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

function framesOf(chunks: readonly Buffer[], pool = new BufferPool(0)): { id: number; payload: Buffer }[] {
  const frames: { id: number; payload: Buffer }[] = []
  const reader = new FrameReader(pool, (id, frame) => frames.push({ id, payload: frame.payload }))
  for (const chunk of chunks) {
    const overwritten = Buffer.from(chunk)
    reader.read(overwritten)
    overwritten.fill(0xee)
  }
  return frames
}
