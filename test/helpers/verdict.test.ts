import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CanonicalRecord } from './records.ts'
import { ledgerContent } from './acked-ledger.ts'
import { verdictOf } from './verdict.ts'

const topic = { name: 'orders', partitions: 1, isTransactional: false }
const clean = { lost: 0, doubled: 0, reordered: 0, altered: 0, phantom: 0 }
const acknowledged = ['0', '1', '3'].map(offset => restored(offset))
const ledger = {
  owed: () =>
    acknowledged.map(({ sourceOffset = '', ...record }): [string, string] => [sourceOffset, ledgerContent(record)]),
}

for (const [what, copy, expected] of [
  ['the same', ['0', '1', '3'], {}],
  ['without a record', ['0', '3'], { lost: 1 }],
  ['with a record twice', ['0', '1', '1', '3'], { doubled: 1 }],
  ['with two records that changed places', ['1', '0', '3'], { reordered: 1 }],
  ['with a record that nobody acknowledged', ['0', '1', '2', '3'], { phantom: 1 }],
] as const) {
  test(`the verdict on a copy ${what} says so`, () => {
    assert.deepEqual(verdictOf(ledger, topic, copy.map(restored)), { ...clean, ...expected })
  })
}

test('the verdict on a copy with another timestamp, key, value or header says so', () => {
  const [first, ...rest] = acknowledged
  const changes = [{ timestamp: '8' }, { key: null }, { value: '' }, { headers: [] }]
  for (const change of changes)
    assert.deepEqual(verdictOf(ledger, topic, [{ ...first!, ...change }, ...rest]), { ...clean, altered: 1 })
})

function restored(offset: string): CanonicalRecord {
  const content = { timestamp: '7', key: '61', value: offset, headers: [['62', null]] as const }
  return { ...content, offset, sourceOffset: offset, partition: 0, timestampType: 'CreateTime' }
}
