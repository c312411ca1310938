import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { BATCH_CODECS } from '../../src/format/batch/record-batch.ts'
import { encodeContainerHeader, parseContainerHeader } from '../../src/format/ocf/container-header.ts'
import { contradictionIn } from '../../src/format/header-contradiction.ts'
import { tileHeaderFromMeta, tileHeaderToMeta } from '../../src/format/tile-header-meta.ts'
import type { Gap, TileHeader } from '../../src/format/tile-header.ts'
import { check } from '../helpers/properties.ts'

const sync = Buffer.alloc(16, 7)
const int64s = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const sha256s = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'))
const nothing = createHash('sha256').digest('hex')

/** Headers that a writer may come to write: from the offsets of a tile on, so that nothing contradicts itself. */
const headers: fc.Arbitrary<TileHeader> = fc
  .record({
    words: fc.record({ clusterId: fc.string(), topic: fc.string(), writer: fc.string() }),
    topicId: fc.option(fc.string(), { nil: undefined }),
    partition: fc.nat(2 ** 31 - 1),
    leaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    from: fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 2 ** 53 - 1_000_000 })),
    steps: fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 6 }),
    reasons: fc.array(fc.constantFrom('retention' as const, 'corrupt-at-source' as const), {
      minLength: 3,
      maxLength: 3,
    }),
    records: fc.nat(1_000),
    times: fc.tuple(int64s, int64s),
    timestampType: fc.constantFrom('create' as const, 'append' as const, 'mixed' as const),
    batchCodec: fc.option(fc.constantFrom(...BATCH_CODECS), { nil: undefined }),
    recordBytesMax: fc.integer({ min: 5, max: 2 ** 31 }),
    blocks: fc.nat(50),
    blocksSha256: sha256s,
  })
  .map(({ words, from, steps, reasons, records, times, blocks, blocksSha256, ...rest }) => {
    const gaps: Gap[] = []
    let at = from
    for (const [n, step] of steps.entries()) {
      if (n % 2 === 1) gaps.push({ from: at, to: at + step, reason: reasons[n >> 1]! })
      at += step
    }
    // Behind the gaps lies what is full of records.
    const hasRecords = records > 0
    const count = hasRecords ? blocks + 1 : 0
    const { timestampType, batchCodec, recordBytesMax, ...identity } = rest
    return {
      ...words,
      ...identity,
      coversFrom: from,
      coversTo: at + records + 5,
      origin: Math.floor(from / 2),
      gaps,
      content: {
        records: hasRecords ? records + blocks : 0,
        firstOffset: hasRecords ? at : undefined,
        lastOffset: hasRecords ? at + records + blocks - 1 : undefined,
        timestampMin: hasRecords ? (times[0] < times[1] ? times[0] : times[1]) : undefined,
        timestampMax: hasRecords ? (times[0] < times[1] ? times[1] : times[0]) : undefined,
        timestampType: hasRecords ? timestampType : undefined,
        batchCodec: hasRecords ? batchCodec : undefined,
        recordBytesMax: hasRecords ? recordBytesMax : 0,
        blocks: count,
        blocksBytes: count * 100,
        blocksSha256: hasRecords ? blocksSha256 : nothing,
      },
    }
  })
  .map(header => ({ ...header, coversTo: Math.max(header.coversTo, (header.content.lastOffset ?? 0) + 1) }))

const whole: TileHeader = {
  clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
  topic: 'orders',
  topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg',
  partition: 3,
  coversFrom: 100,
  coversTo: 200,
  origin: 50,
  leaderEpoch: 4,
  gaps: [{ from: 100, to: 110, reason: 'retention' }],
  writer: 'maxbrod 0.1.0',
  content: {
    records: 20,
    firstOffset: 110,
    lastOffset: 150,
    timestampMin: -5n,
    timestampMax: 1_700_000_000_000n,
    timestampType: 'create',
    batchCodec: 'lz4',
    recordBytesMax: 500,
    blocks: 2,
    blocksBytes: 2_000,
    blocksSha256: 'ab'.repeat(32),
  },
}

test('a header is written as docs/formats.md says', () => {
  const meta = new Map(tileHeaderToMeta(whole))
  meta.delete('avro.schema')
  assert.deepEqual(Object.fromEntries(meta), {
    'avro.codec': 'zstandard',
    'maxbrod.format': '1',
    'maxbrod.cluster.id': 'MkU3OEVBNTcwNTJENDM2Qg',
    'maxbrod.topic': 'orders',
    'maxbrod.topic.id': 'Hx3y8Ra6RBe9-hFQXtB2Kg',
    'maxbrod.partition': '3',
    'maxbrod.covers.from': '100',
    'maxbrod.covers.to': '200',
    'maxbrod.records': '20',
    'maxbrod.offset.first': '110',
    'maxbrod.offset.last': '150',
    'maxbrod.timestamp.min': '-5',
    'maxbrod.timestamp.max': '1700000000000',
    'maxbrod.timestamp.type': 'create',
    'maxbrod.batch.codec': 'lz4',
    'maxbrod.record.bytes.max': '500',
    'maxbrod.blocks': '2',
    'maxbrod.blocks.bytes': '2000',
    'maxbrod.blocks.sha256': 'ab'.repeat(32),
    'maxbrod.gaps': '[{"from":100,"to":110,"reason":"retention"}]',
    'maxbrod.origin': '50',
    'maxbrod.leader.epoch': '4',
    'maxbrod.writer': 'maxbrod 0.1.0',
  })
})

test('a header that was written is read back, through the container too', () => {
  check(
    fc.property(headers, header => {
      assert.equal(contradictionIn(header), undefined)
      assert.deepEqual(tileHeaderFromMeta(tileHeaderToMeta(header)), header)
      const container = parseContainerHeader(encodeContainerHeader(tileHeaderToMeta(header), sync))
      assert.deepEqual(tileHeaderFromMeta(container!.meta), header)
    }),
    1_000,
  )
})

test('a file that was made of others says of what, and is refused when that contradicts it', () => {
  const generation = {
    name: 'compacted/2026-11-21T05-30-13.123Z',
    from: 50,
    to: 300,
    sources: 7,
    sourcesSha256: 'cd'.repeat(32),
  }
  const meta = tileHeaderToMeta({ ...whole, generation })
  assert.equal(meta.get('maxbrod.generation'), generation.name)
  assert.deepEqual(tileHeaderFromMeta(meta), { ...whole, generation })
  const wrong = { name: 'compacted/yesterday', from: 101, to: 199, sources: 0 }
  for (const [field, value] of Object.entries(wrong))
    assert.match(
      contradictionIn({ ...whole, generation: { ...generation, [field]: value } }) ?? '',
      /generation/,
      field,
    )
  for (const entry of ['from', 'to', 'sources', 'sources.sha256']) {
    const short = new Map(meta)
    short.delete(`maxbrod.generation.${entry}`)
    assert.throws(() => tileHeaderFromMeta(short), { name: 'DecodeError' }, entry)
  }
})

test('entries that a later version may add are left alone', () => {
  assert.deepEqual(tileHeaderFromMeta(new Map([...tileHeaderToMeta(whole), ['maxbrod.more', 'x']])), whole)
})

describe('a header is refused', () => {
  /** With these entries changed, or removed where undefined. */
  const changed = (change: Record<string, string | undefined>) => {
    const meta = new Map(tileHeaderToMeta(whole))
    for (const [name, value] of Object.entries(change)) {
      assert.ok(meta.has(`maxbrod.${name}`), name)
      if (value === undefined) meta.delete(`maxbrod.${name}`)
      else meta.set(`maxbrod.${name}`, value)
    }
    return meta
  }
  const optional = ['topic.id', 'gaps', 'batch.codec']
  for (const name of tileHeaderToMeta(whole).keys()) {
    const short = name.replace('maxbrod.', '')
    if (!name.startsWith('maxbrod.') || optional.includes(short)) continue
    test(`without ${name}`, () =>
      assert.throws(() => tileHeaderFromMeta(changed({ [short]: undefined })), { name: 'DecodeError' }))
  }

  const wholes = ['partition', 'covers.from', 'covers.to', 'records', 'offset.first', 'offset.last', 'origin']
  for (const name of [...wholes, 'record.bytes.max', 'blocks', 'blocks.bytes', 'leader.epoch']) {
    test(`when maxbrod.${name} is no whole number`, () => {
      for (const text of [
        '',
        ' 1',
        '1 ',
        '01',
        '+1',
        '-2',
        '1.0',
        '1e3',
        '0x10',
        'x',
        '9007199254740992',
        '１',
        'NaN',
        'Infinity',
        '1\n',
      ])
        assert.throws(() => tileHeaderFromMeta(changed({ [name]: text })), { name: 'DecodeError' }, text)
    })
  }
  for (const name of ['timestamp.min', 'timestamp.max']) {
    test(`when maxbrod.${name} is no int64`, () => {
      for (const text of [
        '',
        '-',
        '-0',
        '01',
        '1.5',
        '1e3',
        '9223372036854775808',
        '-9223372036854775809',
        '0x1',
        ' 1',
      ])
        assert.throws(() => tileHeaderFromMeta(changed({ [name]: text })), { name: 'DecodeError' }, text)
    })
  }

  const contradictions: Record<string, Record<string, string>> = {
    'of another format': { format: '2' },
    'that covers nothing': { 'covers.to': '100', gaps: '[]' },
    'that covers less than nothing': { 'covers.to': '99' },
    'whose origin lies behind it': { origin: '101' },
    'with more records than offsets': { records: '91', blocks: '2' },
    'with more records than between its first and last': { records: '42' },
    'with records before it': { 'offset.first': '99' },
    'with records behind it': { 'offset.last': '200' },
    'whose last record lies before its first': { 'offset.last': '109' },
    'with records in no block': { blocks: '0' },
    'with more blocks than records': { blocks: '21' },
    'with blocks in fewer bytes than they take': { 'blocks.bytes': '35' },
    'with blocks without records': { records: '0' },
    'with timestamps from late to early': { 'timestamp.min': '1700000000001' },
    'with a largest record smaller than any': { 'record.bytes.max': '4' },
    'with a timestamp type that is none': { 'timestamp.type': 'update' },
    'with a batch codec that is none': { 'batch.codec': 'brotli' },
    'with a SHA-256 that is none': { 'blocks.sha256': 'ab' },
    'with a SHA-256 in capitals': { 'blocks.sha256': 'AB'.repeat(32) },
  }
  for (const [title, change] of Object.entries(contradictions))
    test(title, () => assert.throws(() => tileHeaderFromMeta(changed(change)), { name: 'DecodeError' }))

  const gaps: Record<string, string> = {
    'that are no JSON': '[{',
    'that are empty text': '',
    'that are no list': '{"from":100,"to":110,"reason":"retention"}',
    'that are null': 'null',
    'one of which is null': '[null]',
    'one of which is a number': '[1]',
    'one of which is a list': '[[100,110,"retention"]]',
    'without an end': '[{"from":100,"reason":"retention"}]',
    'with a negative start': '[{"from":-1,"to":110,"reason":"retention"}]',
    'with an end that is a fraction': '[{"from":100,"to":110.5,"reason":"retention"}]',
    'with an end above 2^53 − 1': '[{"from":100,"to":9007199254740992,"reason":"retention"}]',
    'with a start in quotes': '[{"from":"100","to":110,"reason":"retention"}]',
    'without a reason': '[{"from":100,"to":110}]',
    'for an unknown reason': '[{"from":100,"to":110,"reason":"moths"}]',
    'for a reason that is an object': '[{"from":100,"to":110,"reason":{"toString":1}}]',
    'for a reason nested deeply': `[{"from":100,"to":110,"reason":${'['.repeat(9_000)}${']'.repeat(9_000)}}]`,
    'nested deeply': '['.repeat(20_000) + ']'.repeat(20_000),
    'that cover nothing': '[{"from":100,"to":100,"reason":"retention"}]',
    'that go back': '[{"from":105,"to":100,"reason":"retention"}]',
    'before the tile': '[{"from":99,"to":110,"reason":"retention"}]',
    'behind the tile': '[{"from":190,"to":201,"reason":"retention"}]',
    'that overlap': '[{"from":100,"to":105,"reason":"retention"},{"from":104,"to":110,"reason":"retention"}]',
    'in another order': '[{"from":105,"to":110,"reason":"retention"},{"from":100,"to":104,"reason":"retention"}]',
    'that leave too few offsets': '[{"from":110,"to":191,"reason":"corrupt-at-source"}]',
    'with a prototype': '[{"__proto__":{"from":100,"to":110,"reason":"retention"}}]',
  }
  for (const [title, text] of Object.entries(gaps))
    test(`with gaps ${title}`, () =>
      assert.throws(() => tileHeaderFromMeta(changed({ gaps: text })), { name: 'DecodeError' }))
})

test('whatever its entries say, a header is read or refused by a DecodeError, and what is read holds no contradiction', () => {
  const names = [...tileHeaderToMeta(whole).keys()].filter(name => name.startsWith('maxbrod.'))
  const values = fc.oneof(
    fc.constantFrom('', '0', '1', '-1', '100', '200', '1e9', '[]', '{}', 'null', '"', 'create'),
    fc.nat(300).map(String),
    fc.string(),
  )
  check(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...names), values), { minLength: 1, maxLength: 3 }), changes => {
      const meta = new Map([...tileHeaderToMeta(whole), ...changes])
      try {
        assert.equal(contradictionIn(tileHeaderFromMeta(meta)), undefined)
      } catch (error) {
        assert.equal((error as Error).name, 'DecodeError', (error as Error).stack)
      }
    }),
    5_000,
  )
})

test('a tile without records has no blocks, and says nothing of offsets and times', () => {
  const empty = {
    ...whole,
    content: {
      ...whole.content,
      records: 0,
      firstOffset: undefined,
      lastOffset: undefined,
      timestampMin: undefined,
      timestampMax: undefined,
      timestampType: undefined,
      recordBytesMax: 0,
      blocks: 0,
      blocksBytes: 0,
      blocksSha256: nothing,
    },
  }
  assert.deepEqual(tileHeaderFromMeta(tileHeaderToMeta(empty)), empty)
  assert.notEqual(contradictionIn({ ...empty, content: { ...empty.content, blocksBytes: 1 } }), undefined)
  assert.notEqual(
    contradictionIn({ ...empty, content: { ...empty.content, blocksSha256: 'ab'.repeat(32) } }),
    undefined,
  )
  assert.notEqual(contradictionIn({ ...empty, content: { ...empty.content, firstOffset: 110 } }), undefined)
})

test('a writer is told when a tile ends where no number reaches', () => {
  assert.match(contradictionIn({ ...whole, coversTo: 2 ** 53 }) ?? '', /end/)
})
