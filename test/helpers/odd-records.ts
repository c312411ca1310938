import * as fc from 'fast-check'
import { recordLists } from './arbitrary-records.ts'
import type { RecordToSend } from './records.ts'
import type { Codec } from './referee-types.ts'
import type { Dice } from './seed.ts'

/** Records that are odd in one way. */
export interface OddRecords {
  readonly name: string
  /** As the title of a test. */
  readonly title: string
  readonly batches: readonly { readonly records: readonly RecordToSend[]; readonly codec: Codec }[]
}

const today = 1_763_000_000_000n
const maxInt64 = 2n ** 63n - 1n
const notUtf8 = Buffer.from([0xff, 0x00, 0xc3, 0x28])
const sourceOffset = 'restore.source-offset'

/** Lengths around which a varint grows, and what is copied goes another way. */
const lengths = [1, 31, 32, 39, 40, 41, 63, 64, 127, 128, 8_191, 8_192, 100_000, 1_048_576, 1_048_577]

type Headers = NonNullable<RecordToSend['headers']>

const oddHeaders: readonly Headers[] = [
  [],
  [
    ['b', '1'],
    ['a', '2'],
    ['b', null],
    ['b', ''],
    ['b', '1'],
  ],
  [
    ['10', 'x'],
    ['9', 'y'],
    ['', 'no name'],
    ['', null],
  ],
  [
    ['__proto__', 'p'],
    ['constructor', 'c'],
    ['toString', null],
    ['hasOwnProperty', ''],
  ],
  [
    [notUtf8, notUtf8],
    [Buffer.from([0xed, 0xa0, 0x80]), 'half a surrogate pair'],
    [Buffer.from([0]), Buffer.from([0])],
  ],
  [['žluťoučký kůň', '🐴']],
  [['n'.repeat(70_000), Buffer.alloc(70_000, 0x80)]],
  Array.from({ length: 10_000 }, (_, n) => [`header ${n % 7}`, n % 3 === 0 ? null : `${n}`] as const),
]

/** Restored records carry the header already: who restores a restored topic keeps both. */
const restoredBefore: readonly Headers[] = [
  [[sourceOffset, '17']],
  [
    [sourceOffset, '17'],
    [sourceOffset, '3'],
  ],
  [
    [sourceOffset, '5'],
    ['behind', 'it'],
  ],
  [
    [sourceOffset, null],
    [sourceOffset, ''],
    [sourceOffset, notUtf8],
    [sourceOffset, '-1'],
    [sourceOffset, '9223372036854775807'],
  ],
]

/** The edges of every width in which a timestamp or a difference of two is computed, on both sides. */
const edges = [0n, 1n, 6n, 7n, 13n, 30n, 31n, 32n, 41n, 48n, 50n, 51n, 52n, 53n, 55n, 56n, 62n].flatMap(bits =>
  [-1n, 0n, 1n].flatMap(by => [2n ** bits + by, -(2n ** bits) + by]),
)

const oddTimes = [
  -1n,
  0n,
  ...edges,
  maxInt64,
  maxInt64 - 1n,
  -maxInt64,
  -maxInt64 - 1n,
  today * 1_000n, // microseconds taken for milliseconds
  today * 1_000_000n, // nanoseconds
  today / 1_000n, // seconds
]

export function oddRecordKinds(dice: Dice): OddRecords[] {
  const at = (n: number) => today + BigInt(n)
  const inOne = (records: readonly RecordToSend[], codec: Codec = 'none') => [{ records, codec }]
  const nothing = [null, '', 'x'] as const
  const chance = fc
    .sample(recordLists(12), { numRuns: 40, seed: dice.between(0, 2 ** 31) })
    .map((records, n) => ({ records, codec: (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)[n % 5]! }))
  return [
    {
      name: 'nothing',
      title: 'null and empty keys and values, in every combination',
      batches: inOne(nothing.flatMap(key => nothing.map((value, n) => ({ key, value, timestamp: at(n) })))),
    },
    {
      name: 'sizes',
      title: 'keys and values of one byte and of megabytes',
      batches: [
        ...lengths.map(length => ({
          records: [
            { key: dice.bytes(Math.min(length, 9_000)), value: Buffer.alloc(length, dice.bytes(97)), timestamp: today },
          ],
          codec: 'none' as const,
        })),
        {
          records: [{ key: Buffer.alloc(2_000_000, 1), value: dice.bytes(2_000_000), timestamp: today }],
          codec: 'none',
        },
        { records: [{ value: Buffer.alloc(9_500_000, 'large '), timestamp: today }], codec: 'zstd' },
      ],
    },
    {
      name: 'headers',
      title:
        'headers in order: duplicates, nulls, no names, names of Object.prototype, bytes that are not UTF-8, 10,000 of them',
      batches: inOne(
        oddHeaders.map((headers, n) => ({ headers, timestamp: at(n) })),
        'lz4',
      ),
    },
    {
      name: 'restored-before',
      title: 'headers restore.source-offset that are there already, whatever they say',
      batches: inOne(restoredBefore.map((headers, n) => ({ headers, value: `${n}`, timestamp: at(n) }))),
    },
    {
      name: 'times',
      title: 'timestamps of any 64 bits, one by one',
      batches: oddTimes.map((timestamp, n) => ({ records: [{ timestamp, value: `${n}` }], codec: 'none' as const })),
    },
    {
      name: 'times-together',
      title: 'timestamps of any 64 bits in one batch, far apart and going back',
      batches: inOne(
        [...oddTimes, ...oddTimes.toReversed()].map((timestamp, n) => ({ timestamp, key: `${n}` })),
        'zstd',
      ),
    },
    { name: 'chance', title: 'records by chance, as hostile as Kafka lets them be', batches: chance },
  ]
}
