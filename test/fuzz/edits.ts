import { zigZag } from '../helpers/plain-batch.ts'
import type { DigestRecord } from '../helpers/records.ts'
import type { Dice } from '../helpers/seed.ts'

/** Changes of bytes that find more than chance does: integers at the edges of their width, whole stretches, single bits. */
const edges = [
  0n,
  1n,
  -1n,
  2n,
  -2n,
  63n,
  64n,
  -64n,
  -65n,
  127n,
  128n,
  255n,
  256n,
  65_536n,
  ...[30n, 31n, 32n, 40n, 53n, 62n].flatMap(bits => [2n ** bits - 1n, 2n ** bits, -(2n ** bits)]),
  2n ** 63n - 1n,
  -(2n ** 63n),
]

export function edgeInteger(dice: Dice): bigint {
  return dice.pick(edges)
}

/** The bytes with one change. */
export function edited(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.between(0, bytes.length)
  const length = dice.pick([1, 1, 1, 2, 3, 8, 40])
  const rest = bytes.subarray(at)
  switch (dice.between(0, 8)) {
    case 0:
    case 1: {
      const flipped = Buffer.from(bytes)
      if (at < bytes.length) flipped[at]! ^= 1 << dice.between(0, 7)
      return flipped
    }
    case 2: {
      const set = Buffer.from(bytes)
      if (at < bytes.length) set[at] = dice.pick([0, 1, 2, 3, 0x7e, 0x7f, 0x80, 0x81, 0xff])
      return set
    }
    case 3:
      return bytes.subarray(0, at)
    case 4:
      return Buffer.concat([bytes.subarray(0, at), rest.subarray(length)])
    case 5:
      return Buffer.concat([bytes.subarray(0, at), dice.bytes(length), rest])
    case 6:
      return Buffer.concat([bytes.subarray(0, at), zigZag(edgeInteger(dice)), rest.subarray(dice.between(0, 2))])
    case 7: {
      const from = dice.between(0, bytes.length)
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + length), rest])
    }
    default:
      return Buffer.concat([bytes, dice.bytes(length)])
  }
}

/** One to three changes; most cases get one. */
export function editedOften(dice: Dice, bytes: Buffer): Buffer {
  let changed = bytes
  for (let left = dice.pick([1, 1, 1, 2, 3]); left > 0; left--) changed = edited(dice, changed)
  return changed
}

/** A list with one item left out, twice, or at another place. */
export function spliced<T>(dice: Dice, list: readonly T[]): T[] {
  if (list.length === 0) return []
  const at = dice.between(0, list.length - 1)
  const to = dice.between(0, list.length - 1)
  const item = list[at]!
  const without = list.toSpliced(at, 1)
  return dice.pick([() => without, () => list.toSpliced(to, 0, item), () => without.toSpliced(to, 0, item)])()
}

/** So many records as Kafka takes them, a few of them odd. */
export function randomRecords(dice: Dice, count: number, from: number): (DigestRecord & Plain)[] {
  const field = () => (dice.number() < 0.2 ? null : dice.bytes(dice.pick([0, 1, 5, 20, 63, 64, 200])))
  let offset = from
  return Array.from({ length: count }, () => {
    offset += dice.pick([1, 1, 1, 1, 2, 50])
    return {
      offset: BigInt(offset),
      timestamp: dice.number() < 0.1 ? edgeInteger(dice) : 1_700_000_000_000n + BigInt(dice.between(0, 10_000)),
      key: field(),
      value: field(),
      headers: Array.from(
        { length: dice.pick([0, 0, 1, 3]) },
        () => [dice.bytes(dice.pick([0, 1, 8])), dice.bytes(3)] as const,
      ),
    }
  })
}

/** Without null values of headers: records that kafka-data-keep can hold, too. */
interface Plain {
  readonly headers: readonly (readonly [Buffer, Buffer])[]
}
