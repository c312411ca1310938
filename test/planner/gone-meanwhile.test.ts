import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tileKey } from '../../src/format/keys.ts'
import { goneMeanwhile } from '../../src/planner/gone-meanwhile.ts'
import { surveyed } from '../helpers/planned.ts'

const partition = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
const listed = [0, 5, 9, 12].map(from => ({
  key: tileKey(partition, from),
  place: { ...partition, from, isEncrypted: false },
}))
const [first, second, , last] = [listed[0]!, listed[1]!, listed[2]!, listed[3]!]

test('files that are gone are named by their offsets, in order; of the last one nobody knows the end', () => {
  const error = goneMeanwhile([last, second], listed, [surveyed(0, 5), surveyed(9, 12)])
  assert.equal(error?.code, 'TILING_HOLE')
  const words = ['5 to 8', 'from 12 on'].map(
    which => `the file of orders/0/ for offsets ${which} was listed and is gone`,
  )
  assert.equal(error.message, words.join('; '))
  assert.deepEqual(error.facts['holes'], [
    { topic: 'orders', partition: 0, from: 5, to: 9 },
    { topic: 'orders', partition: 0, from: 12, to: undefined },
  ])
})

test('what another file has is not gone', () => {
  assert.equal(goneMeanwhile([], listed, []), undefined)
  assert.equal(goneMeanwhile([second], listed, [surveyed(0, 9)]), undefined)
  assert.equal(goneMeanwhile([first, second], listed, [surveyed(0, 3), surveyed(3, 12)]), undefined)
  assert.equal(goneMeanwhile([last], listed, [surveyed(9, 20)]), undefined)
  assert.equal(goneMeanwhile([second], listed, [surveyed(0, 8)])?.code, 'TILING_HOLE')
})

test('a file of kafka-data-keep has not what came between it and the next one', () => {
  const dataKeep = { clusterId: undefined, topicId: undefined }
  const before = surveyed(0, 9, { ...dataKeep, dataEnd: 5 })
  assert.equal(goneMeanwhile([second], listed, [before, surveyed(9, 12, dataKeep)])?.code, 'TILING_HOLE')
})
