import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import {
  clusterKey,
  conflictKey,
  conflictsPrefix,
  firstIncarnationKey,
  isSystemKey,
  parseReportKey,
  reportKey,
  topicsKey,
  topicsPrefix,
} from '../../src/format/system-keys.ts'
import {
  generationKinds,
  generationName,
  generationsPrefix,
  isTopicName,
  parseGenerationName,
  parsePartitionFolder,
  parseSealKey,
  parseTileKey,
  parseTopicFolder,
  partitionFolder,
  sealKey,
  tileKey,
  topicFolder,
} from '../../src/format/keys.ts'
import { keyStamp, parseKeyStamp } from '../../src/format/key-stamp.ts'
import type { TileKey } from '../../src/format/keys.ts'
import { check } from '../helpers/properties.ts'

const topicChar = fc.constantFrom(...'abcxyzABCXYZ0189._-'.split(''))
const topics = fc
  .oneof(
    fc.string({ unit: topicChar, minLength: 1, maxLength: 12 }),
    fc.string({ unit: topicChar, minLength: 240, maxLength: 249 }),
  )
  .filter(name => name !== '.' && name !== '..')
const topicIds = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('base64url'))
const int32s = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constant(2 ** 31 - 1))
const offsets = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 53 - 1 }), fc.constant(2 ** 53 - 1))
const places: fc.Arbitrary<TileKey> = fc.record(
  {
    topic: topics,
    topicId: fc.option(topicIds, { nil: undefined }),
    partition: int32s,
    lineage: fc.option(int32s, { nil: undefined }),
    from: offsets,
    isEncrypted: fc.boolean(),
  },
  { noNullPrototype: true },
)

test('keys look as docs/formats.md says', () => {
  const first = { topic: 'orders', topicId: undefined, partition: 3, lineage: undefined }
  const later = { topic: 'orders', topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg', partition: 3, lineage: 7 }
  assert.equal(tileKey(first, 42), 'orders/3/orders-3-0000000000000000042.avro')
  assert.equal(tileKey(first, 42, true), 'orders/3/orders-3-0000000000000000042.avro.age')
  assert.equal(tileKey(later, 0), 'orders@Hx3y8Ra6RBe9-hFQXtB2Kg/3@e7/orders-3-0000000000000000000.avro')
  assert.equal(topicFolder('orders', undefined), 'orders/')
  assert.equal(partitionFolder(later), 'orders@Hx3y8Ra6RBe9-hFQXtB2Kg/3@e7/')
  assert.equal(clusterKey, '@cluster/cluster.json')
  assert.equal(firstIncarnationKey('orders'), '@topics/first/orders.json')
  assert.equal(topicsKey(Date.UTC(2026, 10, 21, 5, 30, 13, 123)), '@topics/2026-11-21T05-30-13.123Z.avro')
  assert.equal(reportKey(Date.UTC(2026, 10, 21, 5, 30, 13, 123)), '@report/2026-11-21T05-30-13.123Z.html')
  assert.equal(parseReportKey('@report/2026-11-21T05-30-13.123Z.html'), Date.UTC(2026, 10, 21, 5, 30, 13, 123))
  for (const other of [
    '@report/2026.html',
    '@report/2026-11-21T05-30-13.123Z.avro',
    '@report/a/2026-11-21T05-30-13.123Z.html',
  ])
    assert.equal(parseReportKey(other), undefined, other)
  assert.equal(conflictKey('ab12'), '@conflicts/ab12.avro')
  for (const key of [clusterKey, topicsPrefix, conflictsPrefix, firstIncarnationKey('orders')])
    assert.ok(isSystemKey(key))
  assert.equal(isSystemKey(tileKey(later, 0)), false)
})

test('a key that was made is read back, whatever it names', () => {
  check(
    fc.property(places, place => {
      const key = tileKey(place, place.from, place.isEncrypted)
      assert.deepEqual(parseTileKey(key), place)
      assert.ok(key.startsWith(partitionFolder(place)))
      assert.ok(partitionFolder(place).startsWith(topicFolder(place.topic, place.topicId)))
      assert.ok(Buffer.byteLength(key) <= 1_024)
      const [topicPart, partitionPart] = key.split('/') as [string, string]
      assert.deepEqual(parseTopicFolder(topicPart), { topic: place.topic, topicId: place.topicId })
      assert.deepEqual(parsePartitionFolder(partitionPart), { partition: place.partition, lineage: place.lineage })
    }),
    2_000,
  )
})

test('files that were made of others lie below their generation, and look the same from there on', () => {
  const generation = generationName('compacted', Date.UTC(2026, 10, 21, 5, 30, 13, 123))
  const place = { topic: 'orders', topicId: undefined, partition: 3, lineage: undefined, generation }
  const folder = '@compacted/2026-11-21T05-30-13.123Z/orders/3/'
  assert.equal(tileKey(place, 42), `${folder}orders-3-0000000000000000042.avro`)
  assert.equal(sealKey(place), `${folder}generation.json`)
  check(
    fc.property(places, fc.constantFrom(...generationKinds), fc.nat(), (original, kind, atMs) => {
      const other = { ...original, generation: generationName(kind, atMs) }
      const key = tileKey(other, other.from, other.isEncrypted)
      assert.deepEqual(parseTileKey(key), other)
      assert.ok(
        key.startsWith(generationsPrefix(kind)) && key.endsWith(tileKey(original, original.from, other.isEncrypted)),
      )
      assert.ok(Buffer.byteLength(key) <= 1_024)
      const { from: _, isEncrypted: __, ...folderPlace } = other
      assert.deepEqual(parseSealKey(sealKey(other)), folderPlace)
      assert.equal(parseSealKey(key), undefined)
      assert.equal(parseTileKey(sealKey(other)), undefined)
      assert.deepEqual(parseGenerationName(other.generation), { kind, atMs })
    }),
    1_000,
  )
})

test('what lies in no generation is foreign, and so is the seal of an original', () => {
  const rest = 'orders/3/orders-3-0000000000000000042.avro'
  for (const folder of [
    '@compacted',
    '@compacted/x',
    '@other/2026-11-21T05-30-13.123Z',
    '@compacted/2026-02-30T00-00-00.000Z',
  ])
    assert.equal(parseTileKey(`${folder}/${rest}`), undefined, folder)
  assert.equal(parseTileKey('@compacted/2026-11-21T05-30-13.123Z/2026-11-21T05-30-13.123Z/x'), undefined)
  for (const key of [
    'orders/3/generation.json',
    '@compacted/x/orders/3/generation.json',
    '@compacted/2026-11-21T05-30-13.123Z/orders/03/generation.json',
  ])
    assert.equal(parseSealKey(key), undefined, key)
})

test('the order of keys is the order of offsets', () => {
  check(
    fc.property(places, offsets, offsets, (place, a, b) => {
      const [keyA, keyB] = [tileKey(place, a), tileKey(place, b)]
      assert.equal(keyA < keyB, a < b)
      assert.equal(Buffer.compare(Buffer.from(keyA), Buffer.from(keyB)), Math.sign(a - b))
    }),
    2_000,
  )
})

describe('a key is foreign', () => {
  const whole = 'orders/3/orders-3-0000000000000000042.avro'
  const digits = '0000000000000000042'
  const cases: Record<string, string> = {
    'that is empty': '',
    'of slashes': '//',
    'without a partition': `orders/orders-3-${digits}.avro`,
    'with a folder too many': `x/${whole}`,
    'with a folder more behind it': `${whole}/x`,
    'that begins with a slash': `/${whole}`,
    'that ends in a slash': `${whole}/`,
    'with a topic of one dot': `./3/.-3-${digits}.avro`,
    'with a topic of two dots': `../3/..-3-${digits}.avro`,
    'that climbs': `../orders/3/orders-3-${digits}.avro`,
    'that climbs in its name': `orders/3/../orders-3-${digits}.avro`,
    'with an escaped slash': `orders%2f3/3/orders%2f3-3-${digits}.avro`,
    'with a backslash': `orders\\3\\orders-3-${digits}.avro`,
    'with a space': `or ders/3/or ders-3-${digits}.avro`,
    'with a letter that is not ASCII': `ordérs/3/ordérs-3-${digits}.avro`,
    'with digits that are not ASCII': `orders/३/orders-३-${digits}.avro`,
    'with a line break behind it': `${whole}\n`,
    'with a NUL in it': `orders\0/3/orders\0-3-${digits}.avro`,
    'with another topic in its name': `orders/3/payments-3-${digits}.avro`,
    'with another partition in its name': `orders/3/orders-4-${digits}.avro`,
    'whose partition has a leading zero': `orders/03/orders-03-${digits}.avro`,
    'whose partition has a sign': `orders/+3/orders-+3-${digits}.avro`,
    'with a negative partition': `orders/-1/orders--1-${digits}.avro`,
    'with partition 2^31': `orders/2147483648/orders-2147483648-${digits}.avro`,
    'with a partition of twenty digits': `orders/10000000000000000000/orders-10000000000000000000-${digits}.avro`,
    'whose partition is a fraction': `orders/1.5/orders-1.5-${digits}.avro`,
    'whose partition has an exponent': `orders/1e3/orders-1e3-${digits}.avro`,
    'with 18 digits': `orders/3/orders-3-${digits.slice(1)}.avro`,
    'with 20 digits': `orders/3/orders-3-0${digits}.avro`,
    'with an offset above 2^53 − 1': 'orders/3/orders-3-0009007199254740992.avro',
    'with the largest offset of 19 digits': 'orders/3/orders-3-9999999999999999999.avro',
    'with a hexadecimal offset': 'orders/3/orders-3-000000000000000002a.avro',
    'with a negative offset': 'orders/3/orders-3--000000000000000042.avro',
    'with another ending': `orders/3/orders-3-${digits}.json`,
    'with an ending in capitals': `orders/3/orders-3-${digits}.AVRO`,
    'without an ending': `orders/3/orders-3-${digits}`,
    'with an ending twice': `orders/3/orders-3-${digits}.avro.avro`,
    'encrypted twice': `orders/3/orders-3-${digits}.avro.age.age`,
    'with a topic of 250 characters': `${'x'.repeat(250)}/3/${'x'.repeat(250)}-3-${digits}.avro`,
    'with an @ in its topic': `or@ders/3/or@ders-3-${digits}.avro`,
    'of maxbrod itself': `@topics/3/@topics-3-${digits}.avro`,
    'with a topic id in its name': `orders@Hx3y8Ra6RBe9-hFQXtB2Kg/3/orders@Hx3y8Ra6RBe9-hFQXtB2Kg-3-${digits}.avro`,
    'with an empty topic id': `orders@/3/orders-3-${digits}.avro`,
    'with a topic id of 21 characters': `orders@Hx3y8Ra6RBe9-hFQXtB2K/3/orders-3-${digits}.avro`,
    'with a topic id of 23 characters': `orders@Hx3y8Ra6RBe9-hFQXtB2KgA/3/orders-3-${digits}.avro`,
    'with a topic id that no Uuid prints': `orders@Hx3y8Ra6RBe9-hFQXtB2Kh/3/orders-3-${digits}.avro`,
    'with a topic id in plain base64': `orders@Hx3y8Ra6RBe9+hFQXtB2Kg/3/orders-3-${digits}.avro`,
    'with two topic ids': `orders@Hx3y8Ra6RBe9-hFQXtB2Kg@Hx3y8Ra6RBe9-hFQXtB2Kg/3/orders-3-${digits}.avro`,
    'with a lineage that is none': `orders/3@7/orders-3-${digits}.avro`,
    'with an empty lineage': `orders/3@e/orders-3-${digits}.avro`,
    'with a negative lineage': `orders/3@e-1/orders-3-${digits}.avro`,
    'with a lineage that begins with a zero': `orders/3@e07/orders-3-${digits}.avro`,
    'with a lineage of 2^31': `orders/3@e2147483648/orders-3-${digits}.avro`,
    'with two lineages': `orders/3@e1@e2/orders-3-${digits}.avro`,
    'with a lineage in its name': `orders/3@e7/orders-3@e7-${digits}.avro`,
    'of 1,024 bytes': `${'a'.repeat(500)}/3/${'a'.repeat(493)}-3-${digits}.avro`,
    'named like a member of Object.prototype': '__proto__/constructor/toString',
  }
  for (const [title, key] of Object.entries(cases)) test(title, () => assert.equal(parseTileKey(key), undefined))
  test('unless it is whole', () => assert.notEqual(parseTileKey(whole), undefined))
})

test('a key that was changed in any one character is another key or a foreign one, never the same twice', () => {
  const strange = [
    '',
    '0',
    '1',
    '9',
    'a',
    '-',
    '.',
    '/',
    '@',
    '%',
    '+',
    ' ',
    '\n',
    '\0',
    'é',
    'e',
    '..',
    '%2f',
    '-0',
    '\u{1f434}',
  ]
  let foreign = 0
  check(
    fc.property(places, fc.nat(), fc.constantFrom(...strange), fc.nat(1), (place, at, insert, cut) => {
      const key = tileKey(place, place.from, place.isEncrypted)
      const where = at % (key.length + 1)
      const other = key.slice(0, where) + insert + key.slice(where + cut)
      const parsed = parseTileKey(other)
      if (parsed === undefined) foreign++
      else assert.equal(tileKey(parsed, parsed.from, parsed.isEncrypted), other)
    }),
    10_000,
  )
  assert.ok(foreign > 5_000, `${foreign} of 10,000 were foreign`)
})

test('whatever a key is, it is read without an error, and only one that tileKey makes is read at all', () => {
  const parts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('orders', '3', '..', '.', '', '@cluster', 'orders-3-0000000000000000042.avro'),
  )
  check(
    fc.property(
      fc.array(parts, { maxLength: 5 }).map(list => list.join('/')),
      key => {
        const parsed = parseTileKey(key)
        if (parsed !== undefined) assert.equal(tileKey(parsed, parsed.from, parsed.isEncrypted), key)
      },
    ),
    10_000,
  )
})

test('folders that are no topic’s or no partition’s are none', () => {
  for (const name of ['', '.', '..', '@topics', 'a@', 'a@b', 'a@Hx3y8Ra6RBe9-hFQXtB2Kg@Hx3y8Ra6RBe9-hFQXtB2Kg', 'a/b'])
    assert.equal(parseTopicFolder(name), undefined, name)
  for (const name of [
    '',
    '01',
    '-1',
    '2147483648',
    '1@',
    '1@e',
    '1@e01',
    '1@e2147483648',
    '1@e1@e1',
    'x',
    ' 1',
    '1\n',
    '1.0',
  ])
    assert.equal(parsePartitionFolder(name), undefined, name)
})

test('topic names are those that Kafka takes', () => {
  for (const name of ['a', 'A.b-c_9', '...', '.a', 'x'.repeat(249), '__consumer_offsets', '__proto__'])
    assert.ok(isTopicName(name), name)
  for (const name of ['', '.', '..', 'x'.repeat(250), 'a b', 'a/b', 'a@b', 'ä', 'a\n', 'a\0', 'a:b', 'a,b', 'a*'])
    assert.equal(isTopicName(name), false, name)
})

test('a stamp names a moment to the millisecond, sorts by time, and is read back', () => {
  assert.equal(keyStamp(0), '1970-01-01T00-00-00.000Z')
  const moments = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) })
  check(
    fc.property(moments, moments, (a, b) => {
      assert.equal(parseKeyStamp(keyStamp(a)), a)
      assert.equal(keyStamp(a) < keyStamp(b), a < b)
    }),
    1_000,
  )
})

test('what is no stamp is none', () => {
  for (const stamp of [
    '',
    '2026-11-21T05:30:13.123Z',
    '2026-11-21T05-30-13Z',
    '2026-11-21T05-30-13.123',
    '2026-11-21t05-30-13.123z',
    '2026-02-30T05-30-13.123Z',
    '2026-13-01T05-30-13.123Z',
    '2026-11-21T24-00-00.000Z',
    '2026-11-21T05-60-13.123Z',
    ' 2026-11-21T05-30-13.123Z',
    '2026-11-21T05-30-13.123Z\n',
    '+012026-11-21T05-30-13.123Z',
    'first',
  ])
    assert.equal(parseKeyStamp(stamp), undefined, stamp)
})
