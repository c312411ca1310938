import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditPartition, findingsOf } from '../../src/planner/audit.ts'
import { judgeFindings } from '../../src/planner/judge-findings.ts'
import type { SurveyedTile } from '../../src/planner/surveyed-tile.ts'
import { surveyed, topicId } from '../helpers/planned.ts'

const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
const identity = { clusterId: 'cluster', topicId }
const audit = (...tiles: SurveyedTile[]) => auditPartition({ place, tiles }, identity)

test('a whole partition has no findings', () => {
  const audited = audit(surveyed(0, 5), surveyed(5, 9))
  assert.deepEqual([findingsOf(audited), audited.missingHead], [[], undefined])
})

test('a hole and an overlap are named with their offsets and files', () => {
  assert.deepEqual(findingsOf(audit(surveyed(0, 5), surveyed(7, 9), surveyed(8, 12))), [
    'orders/0/ has no file for offsets 5 to 6',
    'orders/0/orders-0-0000000000000000007.avro and orders/0/orders-0-0000000000000000008.avro both cover offsets 8 to 8',
  ])
})

test('offsets that were backed up once and are gone at the head are a loss of their own kind', () => {
  assert.deepEqual(audit(surveyed(5, 9)).missingHead, { from: 0, to: 5 })
  assert.equal(audit(surveyed(5, 9, { origin: 5 })).missingHead, undefined)
  assert.equal(audit().missingHead, undefined)
})

test('what was pruned is no loss: the history begins later', () => {
  const begun = (begin: number) =>
    auditPartition({ place, tiles: [surveyed(5, 9), surveyed(9, 12)], begin }, identity).missingHead
  assert.deepEqual([begun(5), begun(3)], [undefined, { from: 3, to: 5 }])
})

test('a file of another cluster or another topic id is foreign', () => {
  const other = 'AAAAAAAAAAAAAAAAAAAAAA'
  const { foreign } = audit(surveyed(0, 5), surveyed(5, 9, { clusterId: 'else' }), surveyed(9, 12, { topicId: other }))
  assert.deepEqual(
    foreign.map(({ reason }) => reason),
    ['is from cluster else, not cluster', `is from topic id ${other}, not ${topicId}`],
  )
})

test('files that do not say whose they are (kafka-data-keep) are not foreign', () => {
  assert.deepEqual(audit(surveyed(0, 5, { clusterId: undefined, topicId: undefined })).foreign, [])
})

test('holes are refused with all their offsets unless they are accepted by name; overlaps and foreign files always', () => {
  const holed = audit(surveyed(0, 5), surveyed(7, 9), surveyed(11, 12))
  assert.throws(() => judgeFindings([holed], { acceptGaps: ['orders-1'] }), {
    code: 'TILING_HOLE',
    message: 'orders/0/ has no file for offsets 5 to 6; orders/0/ has no file for offsets 9 to 10',
    hint: /--accept-gaps orders-0$/,
  })
  assert.deepEqual(judgeFindings([holed], { acceptGaps: ['orders-0'] }), [
    'orders-0: offsets 5 to 6 are missing, which was accepted',
    'orders-0: offsets 9 to 10 are missing, which was accepted',
  ])
  const overlapping = audit(surveyed(0, 5), surveyed(4, 9))
  assert.throws(() => judgeFindings([overlapping], { acceptGaps: ['orders-0'] }), { code: 'TILING_HOLE' })
  const foreign = audit(surveyed(0, 5), surveyed(5, 9, { clusterId: 'else' }))
  assert.throws(() => judgeFindings([foreign], { acceptGaps: ['orders-0'] }), { code: 'FOREIGN_CLUSTER' })
})

test('what Kafka no longer had, and a head that is gone, are worth a word each', () => {
  const tile = surveyed(5, 9, { gaps: [{ from: 5, to: 7, reason: 'retention' }] })
  assert.deepEqual(judgeFindings([audit(tile)], { acceptGaps: [] }), [
    'orders-0: offsets 0 to 4 were backed up once and their files are gone',
    'orders-0: Kafka no longer had offsets 5 to 6 when they should have been backed up (retention)',
  ])
})
