import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { batchesIn } from '../../src/format/batch/record-batch.ts'
import { recordsIn } from '../../src/format/batch/records.ts'
import { sourceOffsetsIn } from '../../src/format/batch/source-offsets.ts'
import { sourceOffsetOf } from '../../src/kafka/tail.ts'
import { recordLists } from '../helpers/arbitrary-records.ts'
import { encodeBatch } from '../helpers/plain-batch.ts'
import { check } from '../helpers/properties.ts'

const name = Buffer.from('restore.source-offset')
const values = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom(
    '',
    '0',
    '00',
    '01',
    '-1',
    '+1',
    '1e3',
    '9007199254740991',
    '9007199254740992',
    '99999999999999999',
    '٣',
  ),
)

test('the source offsets of a batch are those that its records say, one by one', () => {
  check(
    fc.property(recordLists(8), fc.array(fc.option(values)), fc.boolean(), (records, marks, isLast) => {
      const marked = records.map((record, n) => {
        const mark = marks[n]
        const header = [name, mark === null || mark === undefined ? null : Buffer.from(mark)] as const
        const headers = isLast ? [...record.headers, header] : [header, ...record.headers]
        return { ...record, headers: mark === undefined ? record.headers : headers }
      })
      const [batch] = batchesIn(encodeBatch(marked))
      if (batch === undefined) return
      const expected = [...recordsIn(batch, batch.payload)].map(one => ({
        offset: one.offset,
        source: sourceOffsetOf(one),
      }))
      assert.deepEqual(sourceOffsetsIn(batch, batch.payload), expected)
    }),
    300,
  )
})

test('bytes that are no records are refused, not read over their end', () => {
  const bytes = encodeBatch([
    { offset: 0n, timestamp: 0n, key: null, value: Buffer.from('v'), headers: [[name, Buffer.from('7')]] },
  ])
  const [batch] = batchesIn(bytes)
  for (let length = 0; length < batch!.payload.length; length++)
    assert.throws(
      () => sourceOffsetsIn(batch!, batch!.payload.subarray(0, length)),
      { name: 'DecodeError' },
      `${length} bytes`,
    )
})
