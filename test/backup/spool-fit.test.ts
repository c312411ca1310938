import assert from 'node:assert/strict'
import { test } from 'node:test'
import { continuedBy, continues, isOfChain } from '../../src/backup/spool/spool-fit.ts'
import type { BlockNote, SpoolNote } from '../../src/backup/spool/spool-notes.ts'

const chain = { chainEnd: 50, barrier: undefined }
const log = { logStart: 10, highWatermark: 90 }
const leader = { leaderEpoch: 4 }
const block = (readAt: number) => ({ kind: 'block', readAt }) as BlockNote
const closed: SpoolNote = { kind: 'closed', to: 60, reason: 'size', leaderEpoch: 2, readAt: 4 }
const gap: SpoolNote = { kind: 'gap', gap: { from: 50, to: 60, reason: 'corrupt-at-source' } }

test('the spool continues a chain at its end, and no further than the log goes or another file lies', () => {
  assert.deepEqual(continuedBy(chain, log, leader), { from: 50, limit: 90, leaderEpoch: 4 })
  assert.equal(continuedBy({ ...chain, barrier: 70 }, log, leader).limit, 70)
  assert.equal(continuedBy({ ...chain, barrier: 95 }, log, leader).limit, 90)
})

test('where Kafka has nothing left of it, the spool counts whatever leader it was read from: it is all there is', () => {
  assert.equal(continuedBy(chain, { ...log, logStart: 50 }, leader).leaderEpoch, 4)
  assert.equal(continuedBy(chain, { ...log, logStart: 51 }, leader).leaderEpoch, undefined)
})

test('a tile that goes too far does not continue the chain', () => {
  const limits = { limit: 60, leaderEpoch: undefined }
  assert.equal(continues({ to: 60, notes: [] }, limits), true)
  assert.equal(continues({ to: 61, notes: [] }, limits), false)
})

test('a tile whose last block came from another leader does not: that one may have cut the log', () => {
  const tile = (...notes: SpoolNote[]) => ({ to: 60, notes })
  const limits = { limit: 60, leaderEpoch: 4 }
  assert.equal(continues(tile(block(3), block(4), closed), limits), true)
  assert.equal(continues(tile(block(4), block(3), closed), limits), false)
  assert.equal(continues(tile(block(5)), limits), false)
  assert.equal(continues(tile(block(3)), { ...limits, leaderEpoch: undefined }), true)
})

test('a tile without records does not follow if it came from another leader, or nothing tells: that one may have records there', () => {
  const tile = (...notes: SpoolNote[]) => ({ to: 60, notes })
  const limits = { limit: 60, leaderEpoch: 4 }
  assert.equal(continues(tile(closed), limits), true)
  assert.equal(continues(tile(closed), { ...limits, leaderEpoch: 5 }), false)
  assert.equal(continues(tile({ kind: 'closed', to: 60, reason: 'age' }), limits), false, 'a note of an older version')
  assert.equal(continues(tile(gap), limits), false)
  assert.equal(continues(tile(gap, closed), limits), true)
  for (const notes of [[closed], [gap]])
    assert.equal(continues(tile(...notes), { ...limits, leaderEpoch: undefined }), true, 'Kafka has nothing else')
})

test('the end of a tile does not vouch for blocks of another leader', () => {
  assert.equal(continues({ to: 60, notes: [block(3), closed] }, { limit: 60, leaderEpoch: 4 }), false)
})

test('a tile is of a chain when cluster, archive, group, topic id and lineage are its; none is without a topic id', () => {
  const identity = { archiveId: 'a', clusterId: 'c', topicId: 't', lineage: 2 }
  const head = { ...identity, group: 'g' }
  assert.equal(isOfChain(head, identity, 'g'), true)
  assert.equal(isOfChain(head, identity, 'another'), false)
  for (const other of [{ archiveId: 'b' }, { clusterId: 'd' }, { topicId: 'u' }, { lineage: undefined }])
    assert.equal(isOfChain({ ...head, ...other }, identity, 'g'), false, JSON.stringify(other))
  assert.equal(isOfChain({ ...head, topicId: undefined }, { ...identity, topicId: undefined }, 'g'), false)
})
