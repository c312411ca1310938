import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionName } from '../../src/runtime/topic-partition.ts'
import { parseOffsetsFile } from '../../src/planner/offsets-file.ts'

test('offsets are read as Kafka’s own tools print them and take them', () => {
  const text = '# at noon\norders:0:4711\r\n\npay.ments,12,9007199254740991 # all\n"quoted",1,0\norders:0:4711\n'
  const offsets = [...parseOffsetsFile(text, 'x')].map(([where, offset]) => [partitionName(where), offset])
  assert.deepEqual(offsets, [
    ['orders-0', 4711],
    ['pay.ments-12', 9007199254740991],
    ['quoted-1', 0],
  ])
})

const refused = [
  'orders:0',
  'orders:0:-1',
  'orders:0:1.5',
  'orders:0:9007199254740992',
  'orders:2147483648:0',
  'no topic:0:1',
  '..:0:1',
  '{"orders": 5}',
  'orders:0:1\norders:0:2',
]
for (const text of refused) {
  test(`a line that is none is refused with its number: ${JSON.stringify(text)}`, () =>
    assert.throws(() => parseOffsetsFile(`ok:0:1\n${text}`, 'ends.txt'), {
      code: 'USAGE',
      message: /^line [23] of ends\.txt/,
    }))
}
