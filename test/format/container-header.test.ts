import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { MAX_HEADER_BYTES, encodeContainerHeader, parseContainerHeader } from '../../src/format/ocf/container-header.ts'
import { DecodeError } from '../../src/format/batch/varint.ts'
import { zigZag } from '../helpers/plain-batch.ts'
import { check } from '../helpers/properties.ts'

const sync = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const magic = Buffer.from('Obj\u0001', 'latin1')
const meta = new Map([
  ['avro.schema', '"long"'],
  ['avro.codec', 'null'],
  ['', 'an entry without a name'],
  ['ž', '🐴'],
])

const number = (value: number | bigint) => zigZag(BigInt(value))
const text = (content: string) => Buffer.concat([number(Buffer.byteLength(content)), Buffer.from(content)])
const entry = (name: string, value: string) => Buffer.concat([text(name), text(value)])
const entries = (count: number, valueBytes: number) =>
  Buffer.concat(Array.from({ length: count }, (_, n) => entry(`name ${n}`, 'x'.repeat(valueBytes))))

test('a header that was written is read, whatever follows it', () => {
  const header = encodeContainerHeader(meta, sync)
  for (const rest of [Buffer.alloc(0), Buffer.from('blocks')])
    assert.deepEqual(parseContainerHeader(Buffer.concat([header, rest])), { meta, sync, bytes: header.length })
})

test('any map is written as the specification says, and read back', () => {
  check(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string())), pairs => {
      const map = new Map(pairs.filter(([name]) => !name.startsWith('maxbrod.')))
      const plain = Buffer.concat([
        magic,
        ...(map.size === 0 ? [] : [number(map.size), ...[...map].map(([name, value]) => entry(name, value))]),
        number(0),
        sync,
      ])
      const header = encodeContainerHeader(map, sync)
      assert.deepEqual(header, plain)
      assert.deepEqual(parseContainerHeader(header), { meta: map, sync, bytes: header.length })
    }),
    300,
  )
})

test('a header that has not come whole is waited for', () => {
  const header = encodeContainerHeader(new Map([...meta, ['long', 'x'.repeat(300)]]), sync)
  for (let length = 0; length < header.length; length++)
    assert.equal(parseContainerHeader(header.subarray(0, length)), undefined, `${length} bytes`)
})

test('a map may come in several blocks, with sizes and without', () => {
  const [one, two, three] = [entry('a', '1'), entry('b', '2'), entry('c', '3')]
  const header = Buffer.concat([magic, number(-1), number(4), one, number(2), two, three, number(0), sync])
  assert.deepEqual(parseContainerHeader(header)?.meta, new Map(Object.entries({ a: '1', b: '2', c: '3' })))
})

describe('a header is refused', () => {
  const cases: Record<string, Buffer> = {
    'of another format': Buffer.from('PAR1 and so on'),
    'of another version of Avro': Buffer.concat([Buffer.from('Obj\u0002', 'latin1'), number(0), sync]),
    'that is not even the beginning of one': Buffer.from('x'),
    'with an entry twice': Buffer.concat([magic, number(2), entry('a', '1'), entry('a', '1'), number(0), sync]),
    'with an entry twice, in two blocks': Buffer.concat([
      magic,
      number(1),
      entry('a', '1'),
      number(1),
      entry('a', '1'),
      number(0),
      sync,
    ]),
    'with 65 entries': Buffer.concat([magic, number(65), entries(65, 1), number(0), sync]),
    'with 65 entries in blocks of their own': Buffer.concat([
      magic,
      ...Array.from({ length: 65 }, (_, n) => Buffer.concat([number(1), entry(`${n}`, '')])),
      number(0),
      sync,
    ]),
    'with an entry of more than 64 KiB': Buffer.concat([magic, number(1), text('a'), number(MAX_HEADER_BYTES + 1)]),
    'with an entry of 2^60 bytes': Buffer.concat([magic, number(1), text('a'), number(2n ** 60n), Buffer.alloc(20)]),
    'with an entry of negative length': Buffer.concat([magic, number(1), text('a'), number(-1), Buffer.alloc(20)]),
    'with 2^62 entries': Buffer.concat([magic, number(2n ** 62n), Buffer.alloc(20)]),
    'with an integer that does not end': Buffer.concat([magic, Buffer.alloc(20, 0x80)]),
    'of more than 64 KiB that comes in one piece': Buffer.concat([
      magic,
      number(3),
      entries(3, 30_000),
      number(0),
      sync,
      Buffer.alloc(100_000),
    ]),
    'of 64 KiB that do not end': Buffer.concat([magic, number(3), entries(3, 30_000)]).subarray(0, MAX_HEADER_BYTES),
  }
  for (const [title, bytes] of Object.entries(cases))
    test(title, () => assert.throws(() => parseContainerHeader(bytes), DecodeError))
})

test('a header of exactly 64 KiB is written and read, one byte more is neither', () => {
  const overhead = encodeContainerHeader(new Map([['a', 'x'.repeat(60_000)]]), sync).length - 60_000
  const largest = encodeContainerHeader(new Map([['a', 'x'.repeat(MAX_HEADER_BYTES - overhead)]]), sync)
  assert.equal(largest.length, MAX_HEADER_BYTES)
  assert.equal(parseContainerHeader(largest)?.bytes, MAX_HEADER_BYTES)
  assert.throws(() => encodeContainerHeader(new Map([['a', 'x'.repeat(MAX_HEADER_BYTES - overhead + 1)]]), sync))
  assert.throws(() => encodeContainerHeader(new Map(Array.from({ length: 65 }, (_, n) => [`${n}`, ''])), sync))
})

describe('a header of ours', () => {
  const ours = new Map([...meta, ['maxbrod.format', '1'], ['maxbrod.topic', 'orders']])
  const header = encodeContainerHeader(ours, sync)

  test('ends in the SHA-256 of the lines name=value and of the sync marker', () => {
    const lines = [...ours].map(([name, value]) => `${name}=${value}\n`).join('')
    const seal = createHash('sha256').update(lines).update(sync).digest('hex')
    assert.deepEqual(parseContainerHeader(header)?.meta, new Map([...ours, ['maxbrod.header.sha256', seal]]))
  })

  test('is refused without it, with another one, and when entries changed places', () => {
    const rewritten = (change: (list: [string, string][]) => [string, string][]) => {
      const list = change([...parseContainerHeader(header)!.meta])
      return Buffer.concat([
        magic,
        number(list.length),
        ...list.map(([name, value]) => entry(name, value)),
        number(0),
        sync,
      ])
    }
    assert.deepEqual(
      rewritten(list => list),
      header,
    )
    for (const change of [
      (list: [string, string][]) => list.slice(0, -1),
      (list: [string, string][]) => [
        ...list.slice(0, -1),
        ['maxbrod.header.sha256', '0'.repeat(64)] as [string, string],
      ],
      (list: [string, string][]) => [list[1]!, list[0]!, ...list.slice(2)],
      (list: [string, string][]) => list.slice(1),
      (list: [string, string][]) => [...list, ['maxbrod.more', ''] as [string, string]],
    ])
      assert.throws(() => parseContainerHeader(rewritten(change)), { name: 'DecodeError', message: /header\.sha256/ })
  })
})
