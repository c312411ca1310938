import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  DecodeError,
  bigIntegerBytes,
  integerBytes,
  readBigInteger,
  readInteger,
  readLong,
  writeBigInteger,
  writeInteger,
} from '../../src/format/batch/varint.ts'
import { zigZag } from '../helpers/plain-batch.ts'
import { check } from '../helpers/properties.ts'

/** Every place where a length, a width or a branch of the code changes. */
const edges = [...Array(64).keys()].flatMap(bits =>
  [-2n, -1n, 0n, 1n, 2n].flatMap(by => [2n ** BigInt(bits) + by, -(2n ** BigInt(bits)) + by]),
)
const int64s = edges.filter(value => value === BigInt.asIntN(64, value))
const isSafe = (value: bigint) => Number.isSafeInteger(Number(value)) && BigInt(Number(value)) === value

function written(write: (bytes: Buffer) => number): Buffer {
  const bytes = Buffer.alloc(16, 0xee)
  const end = write(bytes)
  assert.ok(
    bytes.subarray(end).every(byte => byte === 0xee),
    'bytes behind the integer were touched',
  )
  return bytes.subarray(0, end)
}

function agrees(value: bigint): void {
  const bytes = zigZag(value)
  const read = <T>(reader: (cursor: { bytes: Buffer; at: number }) => T) => {
    const cursor = { bytes: Buffer.concat([Buffer.from([9]), bytes, Buffer.from([9])]), at: 1 }
    const result = reader(cursor)
    assert.equal(cursor.at, 1 + bytes.length)
    return result
  }
  assert.deepEqual(
    written(buffer => writeBigInteger(buffer, 0, value)),
    bytes,
  )
  assert.equal(bigIntegerBytes(value), bytes.length)
  assert.equal(read(readBigInteger), value)
  if (isSafe(value)) {
    assert.deepEqual(
      written(buffer => writeInteger(buffer, 0, Number(value))),
      bytes,
    )
    assert.equal(integerBytes(Number(value)), bytes.length)
    assert.equal(read(readInteger), Number(value))
    assert.equal(read(readLong), Number(value))
  } else {
    assert.equal(read(readLong), value)
    assert.throws(() => read(readInteger), DecodeError)
  }
}

test('integers are written and read as the specification says, at every edge of their width', () => {
  for (const value of int64s) agrees(value)
})

test('integers are written and read as the specification says, anywhere', () => {
  check(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.integer({ min: 0, max: 63 }),
      (value, shift) => agrees(value >> BigInt(shift)),
    ),
    3_000,
  )
})

test('an integer that the bytes cut off is an error, wherever it is cut', () => {
  for (const value of int64s) {
    const bytes = zigZag(value)
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      assert.throws(() => readLong({ bytes: cut, at: 0 }), DecodeError)
      assert.throws(() => readBigInteger({ bytes: cut, at: 0 }), DecodeError)
    }
  }
})

test('an integer of more than ten bytes, or of more than 64 bits in ten, is an error', () => {
  const nines = Array<number>(9).fill(0xff)
  for (const bytes of [
    [...nines, 0x02],
    [...nines, 0x7f],
    [...nines, 0x80, 0x00],
    [...nines, 0x81, 0x01],
    [...Array<number>(999).fill(0x80), 0],
  ]) {
    assert.throws(() => readLong({ bytes: Buffer.from(bytes), at: 0 }), DecodeError)
    assert.throws(() => readBigInteger({ bytes: Buffer.from(bytes), at: 0 }), DecodeError)
  }
})

test('an integer in more bytes than it needs is read as Kafka and avsc read it', () => {
  for (const [bytes, value] of [
    [[0x82, 0x00], 1],
    [[0x80, 0x80, 0x80, 0x80, 0x00], 0],
    [[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], -1],
    [[0x86, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 3],
  ] as const) {
    assert.equal(readInteger({ bytes: Buffer.from(bytes), at: 0 }), value)
    assert.equal(readBigInteger({ bytes: Buffer.from(bytes), at: 0 }), BigInt(value))
  }
})
