import * as fc from 'fast-check'
import type { DigestRecord } from './records.ts'

/** Records as hostile as Kafka lets them be, for properties: what they hold, not how likely it is. */
const maxInt64 = 2n ** 63n - 1n
const minInt64 = -(2n ** 63n)

/** Mostly today in milliseconds; else microseconds, nanoseconds, the edges of every width, anything. */
const timestamps: fc.Arbitrary<bigint> = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 1_600_000_000_000n, max: 1_800_000_000_000n }) },
  fc.constantFrom(-1n, 0n, -2n, 1n, minInt64, maxInt64, minInt64 + 1n, maxInt64 - 1n),
  fc.constantFrom(
    ...[30n, 31n, 32n, 48n, 49n, 51n, 52n, 53n].flatMap(bits => [1, -1].flatMap(sign => edges(sign, bits))),
  ),
  fc.bigInt({ min: minInt64, max: maxInt64 }),
)

function edges(sign: number, bits: bigint): bigint[] {
  return [-1n, 0n, 1n].map(by => BigInt(sign) * 2n ** bits + by)
}

function bytesUpTo(maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength }).map(bytes => Buffer.from(bytes))
}

/** Short ones mostly; now and then one around the lengths where a varint grows or a copy goes another way. */
const fields: fc.Arbitrary<Buffer | null> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 4, arbitrary: bytesUpTo(80) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(39, 40, 41, 63, 64, 127, 128, 8191, 8192).map(length => Buffer.alloc(length, 7)),
  },
)

const names: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .constantFrom('', '__proto__', 'constructor', 'toString', '10', '2', 'a', 'b', 'žluťoučký kůň')
    .map(text => Buffer.from(text)),
  fc.constantFrom([0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0]).map(bytes => Buffer.from(bytes)),
  bytesUpTo(20),
)

const headerLists: fc.Arbitrary<DigestRecord['headers']> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.array(fc.tuple(names, fields), { maxLength: 5 }) },
)

type Content = Omit<DigestRecord, 'offset'>

const contents: fc.Arbitrary<Content> = fc.record({
  timestamp: timestamps,
  key: fields,
  value: fields,
  headers: headerLists,
})

/** Between neighbours of one batch, as compaction leaves them. */
const steps = fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 100_000 }))

const starts = fc.oneof(
  fc.constantFrom(0, 9, 99, 2 ** 30 - 2, 2 ** 31 - 2, 2 ** 32 - 2, 2 ** 50, 2 ** 52 - 2),
  fc.integer({ min: 0, max: 2 ** 52 }),
)

/** Up to `maxLength` records whose offsets ascend. */
export function recordLists(maxLength: number): fc.Arbitrary<DigestRecord[]> {
  return fc.tuple(starts, fc.array(fc.tuple(steps, contents), { minLength: 1, maxLength })).map(([start, list]) => {
    let offset = BigInt(start)
    return list.map(([step, content]) => {
      const record = { ...content, offset }
      offset += BigInt(step)
      return record
    })
  })
}

/** Splits a list into runs of neighbours, none of them empty. */
export function runsOf<T>(list: readonly T[], cuts: readonly number[]): T[][] {
  const places = [...new Set(cuts.map(cut => 1 + (cut % Math.max(list.length - 1, 1))))].sort((a, b) => a - b)
  return [0, ...places].map((from, n) => list.slice(from, places[n])).filter(run => run.length > 0)
}
