import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError } from '../../src/format/batch/varint.ts'
import { parsePruneKey, pruneKey } from '../../src/format/system-keys.ts'
import { decodePruneRecord, encodePruneRecord } from '../../src/format/prune-record.ts'

const topicId = 'AAAAAAAAQACAAAAAAAAAAQ'
const record = {
  writer: 'maxbrod 1.2.3',
  partitions: [
    {
      place: { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined },
      from: 0,
      to: 2 ** 53 - 1,
      files: 12,
      records: 99,
      bytes: 4711,
    },
    {
      place: { topic: 'orders', topicId, partition: 7, lineage: 3 },
      from: 5,
      to: 6,
      files: 1,
      records: undefined,
      bytes: 0,
    },
  ],
  objects: ['@points/2026-11-21T05-30-13.123Z.avro'],
}

test('a prune is remembered with its ranges and objects, in JSON that people can read', () => {
  const content = encodePruneRecord(record)
  assert.deepEqual(decodePruneRecord(content), record)
  const { partitions } = JSON.parse(content.toString()) as { partitions: object[] }
  assert.deepEqual(partitions[1], { folder: `orders@${topicId}/7@e3`, from: 5, to: 6, files: 1, bytes: 0 })
})

test('the key of a prune names its moment, and no other key is one', () => {
  const key = pruneKey(1_795_239_013_123)
  assert.equal(key, '@prunes/2026-11-21T05-30-13.123Z.json')
  assert.equal(parsePruneKey(key), 1_795_239_013_123)
  for (const other of [key.replace('json', 'avro'), key.replace('@prunes', '@points'), `${key}.json`, '@prunes/x.json'])
    assert.equal(parsePruneKey(other), undefined, other)
})

test('what is no record of a prune is refused', () => {
  const good = JSON.parse(encodePruneRecord(record).toString()) as { partitions: object[] }
  const [range] = good.partitions
  const partitions = (change: object) => JSON.stringify({ ...good, partitions: [{ ...range, ...change }] })
  for (const bad of [
    '',
    '{',
    'null',
    '[]',
    JSON.stringify({ ...good, format: 2 }),
    JSON.stringify({ ...good, writer: undefined }),
    JSON.stringify({ ...good, objects: [1] }),
    JSON.stringify({ ...good, partitions: [null] }),
    partitions({ folder: 'orders' }),
    partitions({ folder: 'orders/0/x' }),
    partitions({ folder: '../0' }),
    partitions({ folder: 'orders/01' }),
    partitions({ from: -1 }),
    partitions({ to: 0 }),
    partitions({ to: 2 ** 53 }),
    partitions({ to: '9' }),
    partitions({ files: 1.5 }),
  ])
    assert.throws(() => decodePruneRecord(Buffer.from(bad)), DecodeError, bad)
})
