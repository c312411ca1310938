import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DecodeError } from '../../src/format/batch/varint.ts'
import { decodePlanEntry, encodePlanEntry } from '../../src/format/plan-records.ts'
import type { PlanEntry, PlanFile, PlanHead } from '../../src/format/plan.ts'
import { planFile, planHead } from '../helpers/planned.ts'
import { check } from '../helpers/properties.ts'

const head: PlanHead = planHead({
  producerId: '9223372036854775807',
  mapping: { targetPrefix: 'p.', rename: [['a', 'b']], partitionMap: 'same' },
  brokerDefaults: { 'producer.id.expiration.ms': null },
  targets: [
    {
      topic: 'b',
      topicId: undefined,
      created: true,
      finalConfigs: { 'retention.ms': '5', x: null },
      baseOffsets: [0, 7],
    },
  ],
})
const file: PlanFile = { ...planFile(3, 40, 5, 10, 20), lastOffset: 17, slice: { fromOffset: 12, toOffset: 18 } }
const entries: PlanEntry[] = [
  head,
  file,
  { ...file, slice: undefined },
  { ...file, records: 0, lastOffset: undefined },
  {
    kind: 'end',
    planId: 'p',
    partitions: { 'orders-0': { index: 3, records: 45 }, ['__proto__']: { index: 0, records: 0 } },
  },
]

for (const entry of entries) {
  test(`a ${entry.kind} record comes back as it was written`, () => {
    assert.deepEqual(decodePlanEntry(encodePlanEntry(entry, 'sha').value), entry)
  })
}

test('plan records have the key and the headers that docs/formats.md promises', () => {
  const { key, headers } = encodePlanEntry(file, 'sha')
  assert.equal(key.toString(), 'orders-0')
  assert.deepEqual(
    headers.map(({ key: name, value }) => [name.toString(), value?.toString()]),
    [
      ['plan-restore.partition-file-index', '3'],
      ['plan-restore.topics-sha', 'sha'],
    ],
  )
})

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const without = (of: object, name: string) => Object.fromEntries(Object.entries(of).filter(([key]) => key !== name))

const hostile: readonly (readonly [string, Buffer | null])[] = [
  ['no value', null],
  ['an empty value', Buffer.alloc(0)],
  ['no JSON', Buffer.from('{"kind":"file"')],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
  ['a list', json([])],
  ['null', json(null)],
  ['a text', json('file')],
  ['a number', json(7)],
  ['no kind', json({})],
  ['another kind', json({ kind: 'files' })],
  ['a kind that cannot be printed', json({ kind: { toString: null } })],
  ['a kind that every object has', json({ kind: 'constructor' })],
  ['a head without targets', json(without(head, 'targets'))],
  ['a head without a selection', json(without(head, 'selection'))],
  ['a head with a hold of its own', json({ ...head, hold: 'maybe' })],
  ['a producer id beyond 64 bits', json({ ...head, producerId: '9223372036854775808' })],
  ['a producer id below zero', json({ ...head, producerId: '-1' })],
  ['a producer id that is a number', json({ ...head, producerId: 7 })],
  ['a target that is no topic', json({ ...head, targets: [{ ...head.targets[0], topic: '../x' }] })],
  ['base offsets that are none', json({ ...head, targets: [{ ...head.targets[0], baseOffsets: [-1] }] })],
  ['a rename of three', json({ ...head, mapping: { ...head.mapping, rename: [['a', 'b', 'c']] } })],
  ['a file without an object', json(without(file, 'object'))],
  ['a key out of the backup', json({ ...file, object: { ...file.object, key: '../../etc/passwd' } })],
  ['a last offset behind the slice', json({ ...file, lastOffset: 18 })],
  ['a last offset that leaves no room for the others', json({ ...file, lastOffset: 15 })],
  ['a last offset of no record', json({ ...file, records: 0 })],
  ['a key of another partition', json({ ...file, source: { ...file.source, partition: 1 } })],
  ['a key of another offset', json({ ...file, covers: { from: 11, to: 20 } })],
  ['a target that is no topic of a file', json({ ...file, target: { topic: 'a/b', partition: 0 } })],
  ['a partition beyond 31 bits', json({ ...file, target: { topic: 'b', partition: 2 ** 31 } })],
  ['a slice outside of the file', json({ ...file, slice: { fromOffset: 12, toOffset: 21 } })],
  ['a slice that ends before it begins', json({ ...file, slice: { fromOffset: 15, toOffset: 12 } })],
  ['more records than offsets', json({ ...file, records: 7 })],
  ['records below zero', json({ ...file, records: -1 })],
  ['half a record', json({ ...file, records: 0.5 })],
  ['counts beyond 2^53', json({ ...file, recordsBefore: 2 ** 53 - 1 })],
  ['an index that is a text', json({ ...file, index: '3' })],
  ['an end without partitions', json({ kind: 'end', planId: 'p' })],
  ['an end with half a chain', json({ kind: 'end', planId: 'p', partitions: { 'orders-0': { index: 1 } } })],
]

for (const [title, value] of hostile)
  test(`refused as no plan record: ${title}`, () => assert.throws(() => decodePlanEntry(value), DecodeError))

test('whatever else stands in a plan topic is refused or is a plan record, and nothing else is thrown', () => {
  const paths = fc.constantFrom(
    'kind',
    'source',
    'target',
    'object',
    'covers',
    'records',
    'slice',
    'index',
    'targets',
    'mapping',
  )
  check(
    fc.property(fc.constantFrom(...entries), paths, fc.jsonValue(), (entry, path, value) => {
      try {
        decodePlanEntry(json({ ...entry, [path]: value }))
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error))
      }
    }),
    3_000,
  )
})
