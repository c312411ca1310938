/**
 * Zig-zag LEB128 integers: Kafka's record varints and Avro's int and long are the same bytes.
 * Sources: Kafka protocol guide "Protocol Primitive Types" (VARINT, VARLONG); Avro 1.12 specification, "Primitive types".
 */

/** A read position that lives in an object: it may be kept across an await without two readers sharing it. */
export interface Cursor {
  readonly bytes: Buffer
  at: number
}

const MAX_VARLONG_BYTES = 10
const TWO_32 = 4_294_967_296
const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER)
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Why bytes cannot be decoded. Whoever knows the topic-partition or the key makes a MaxbrodError of it. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Reads a zig-zag integer that must be a safe integer; throws DecodeError when it is not, or when the bytes end. */
export function readInteger(cursor: Cursor): number {
  const value = readLong(cursor)
  if (typeof value === 'bigint') throw new DecodeError(`the integer ${value}, which is not a safe one`)
  return value
}

/** Reads a zig-zag 64-bit integer: a number where that is exact, else a bigint. */
export function readLong(cursor: Cursor): number | bigint {
  const { bytes } = cursor
  let at = cursor.at
  const first = byteAt(bytes, at++)
  if (first < 0x80) {
    cursor.at = at
    return (first >>> 1) ^ -(first & 1)
  }
  let low = first & 0x7f
  for (let shift = 7; shift < 28; shift += 7) {
    const byte = byteAt(bytes, at++)
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor.at = at
      return (low >>> 1) ^ -(low & 1)
    }
  }
  let high = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = byteAt(bytes, at++)
    high |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      if (high >= 0x200_0000) break
      cursor.at = at
      const unsigned = high * 0x1000_0000 + low
      return (low & 1) === 0 ? unsigned / 2 : -(unsigned + 1) / 2
    }
  }
  const value = readBigInteger(cursor)
  return value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : value
}

/** Reads a zig-zag 64-bit integer of any size. */
export function readBigInteger(cursor: Cursor): bigint {
  let value = 0n
  for (let n = 0; n < MAX_VARLONG_BYTES; n++) {
    const b = byteAt(cursor.bytes, cursor.at++)
    // Ten bytes have room for 70 bits, and readers disagree about what the last six say.
    if (n === MAX_VARLONG_BYTES - 1 && b > 1) break
    value |= BigInt(b & 0x7f) << BigInt(7 * n)
    if (b < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }
  throw new DecodeError('an integer of more than 64 bits')
}

/** Writes a safe integer and returns the position behind it. The buffer must have room for ten bytes. */
export function writeInteger(bytes: Buffer, at: number, value: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    return at
  }
  if (value < 0 || value > Number.MAX_SAFE_INTEGER / 2) return writeBigInteger(bytes, at, BigInt(value))
  // 2 · value as two 32-bit halves: five bytes take 28 + 4 bits of the low half and 3 of the high one.
  const low = (value * 2) >>> 0
  let high = (value * 2 - low) / TWO_32
  bytes[at] = (low & 0x7f) | 0x80
  bytes[at + 1] = ((low >>> 7) & 0x7f) | 0x80
  bytes[at + 2] = ((low >>> 14) & 0x7f) | 0x80
  bytes[at + 3] = ((low >>> 21) & 0x7f) | 0x80
  const fifth = (low >>> 28) | ((high & 0x7) << 4)
  high >>>= 3
  if (high === 0) {
    bytes[at + 4] = fifth
    return at + 5
  }
  bytes[at + 4] = fifth | 0x80
  at += 5
  while (high >= 0x80) {
    bytes[at++] = (high & 0x7f) | 0x80
    high >>>= 7
  }
  bytes[at++] = high
  return at
}

/** Writes a 64-bit integer of any size and returns the position behind it. */
export function writeBigInteger(bytes: Buffer, at: number, value: bigint): number {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  while (rest >= 0x80n) {
    bytes[at++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  bytes[at++] = Number(rest)
  return at
}

/** How many bytes `writeInteger` takes for the value. */
export function integerBytes(value: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) {
    const rest = ((value << 1) ^ (value >> 31)) >>> 0
    return rest < 0x80 ? 1 : rest < 0x4000 ? 2 : rest < 0x20_0000 ? 3 : rest < 0x1000_0000 ? 4 : 5
  }
  return bigIntegerBytes(BigInt(value))
}

/** How many bytes `writeBigInteger` takes for the value. */
export function bigIntegerBytes(value: bigint): number {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)) >> 7n
  let bytes = 1
  for (; rest > 0n; rest >>= 7n) bytes++
  return bytes
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new DecodeError('an integer that runs over the end of the bytes')
  return byte
}
