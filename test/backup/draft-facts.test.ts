import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DraftFacts } from '../../src/backup/chain/draft-facts.ts'
import { resumedAgeMs } from '../../src/backup/chain/new-drafts.ts'
import type { BlockNote, SpoolNote } from '../../src/backup/spool/spool-notes.ts'

const block = (from: number, to: number): BlockNote => ({
  kind: 'block',
  to,
  records: to - from,
  firstOffset: from,
  lastOffset: to - 1,
  timestampMin: BigInt(from),
  timestampMax: BigInt(to),
  hasCreateTime: true,
  hasAppendTime: false,
  recordBytesMax: 100 + to,
  leaderEpoch: 4,
  readAt: 5,
  codec: 'lz4',
  bytes: 10,
  crc: 0,
})

function factsOf(from: number, notes: readonly SpoolNote[]): DraftFacts {
  const facts = new DraftFacts(from)
  for (const note of notes) facts.recall(note)
  return facts
}

test('notes that are read back say of a tile what was said when they were written', () => {
  const written = new DraftFacts(10)
  written.addBlock(block(10, 20), 20, { leaderEpoch: 4, codec: 'lz4' })
  written.addGap({ from: 20, to: 25, reason: 'retention' })
  written.addBlock(block(25, 30), 32, { leaderEpoch: 4, codec: 'lz4' })
  written.cover(40, 6)
  const recalled = factsOf(10, [
    block(10, 20),
    { kind: 'gap', gap: { from: 20, to: 25, reason: 'retention' } },
    { ...block(25, 30), to: 32 },
    { kind: 'closed', to: 40, reason: 'age', leaderEpoch: 6, readAt: 7 },
  ])
  for (const facts of [written, recalled]) {
    assert.deepEqual([facts.to, facts.records, facts.leaderEpoch, facts.batchCodec], [40, 15, 6, 'lz4'])
    assert.deepEqual(facts.gaps, [{ from: 20, to: 25, reason: 'retention' }])
  }
  assert.deepEqual(recalled.content(7, 'sha'), written.content(7, 'sha'))
})

test('the leader epoch is that of the last offset covered, and unknown where nothing tells it', () => {
  const facts = factsOf(0, [block(0, 10)])
  assert.equal(facts.leaderEpoch, 4)
  facts.cover(10) // nothing new
  assert.equal(facts.leaderEpoch, 4)
  facts.cover(12, 6)
  assert.equal(facts.leaderEpoch, 6)
  facts.addGap({ from: 12, to: 15, reason: 'retention' })
  assert.equal(facts.leaderEpoch, -1)
})

test('a tile never shrinks, and takes no block from outside of it', () => {
  const facts = factsOf(0, [block(0, 10)])
  assert.throws(() => facts.cover(9), /shrinks/)
  assert.throws(() => facts.addBlock(block(9, 12), 12, { leaderEpoch: 4, codec: undefined }), /outside/)
  assert.throws(() => facts.addBlock(block(10, 12), 11, { leaderEpoch: 4, codec: undefined }), /outside/)
  assert.throws(() => facts.addBlock({ ...block(10, 12), records: 0 }, 12, { leaderEpoch: 4, codec: undefined }))
})

test('a tile that comes back is as old as it was, however the wall clock was set meanwhile', () => {
  assert.equal(resumedAgeMs(1_000, 1_500, 5_000), 500)
  assert.equal(resumedAgeMs(1_000, 900, 5_000), 0)
  assert.equal(resumedAgeMs(1_000, 1_000_000, 5_000), 5_000)
})
