import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCommitNote } from '../../src/format/commit-note.ts'
import { noteOfNothing } from '../../src/backup/resume/commit-note.ts'
import { protectionOf } from '../../src/backup/protection/protection.ts'
import type { PartitionFacts } from '../../src/backup/protection/protection.ts'

const where = { topic: 'orders', partition: 3 }
const topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
const nowMs = 1_000_000_000

function committed(offset: number, of = topicId, more: { stopped?: string } = {}) {
  const note = { archiveId: 'a', topicId: of, lineage: undefined, lastFrom: 0, origin: 0, ...more }
  const metadata = encodeCommitNote(note)
  return { offset, metadata }
}

async function judge(facts: Partial<PartitionFacts>, retentionMs?: number) {
  const asked: number[] = []
  const first = (from: number) => {
    asked.push(from)
    return Promise.resolve(nowMs - 60_000)
  }
  const status = await protectionOf(
    where,
    { logStart: 0, end: 100, committed: committed(100), topicId, ...facts },
    first,
    retentionMs,
    nowMs,
  )
  return { ...status, asked }
}

const whole = {
  ...where,
  protectedTo: 100,
  end: 100,
  behind: 0,
  behindSeconds: 0,
  lost: 0,
  headroomSeconds: undefined,
  stopped: undefined,
}

test('a partition that is committed to its end is protected, and nothing is read of it', async () => {
  assert.deepEqual(await judge({}, 3_600_000), { ...whole, asked: [] })
})

test('what is missing is counted from the commit, and as old as its first record; retention leaves it so long', async () => {
  assert.deepEqual(await judge({ committed: committed(40) }, 100_000), {
    ...whole,
    protectedTo: 40,
    behind: 60,
    behindSeconds: 60,
    headroomSeconds: 40,
    asked: [40],
  })
})

test('a partition whose worker cannot go on says so', async () => {
  const { stopped } = await judge({ committed: committed(40, topicId, { stopped: 'TILE_CONFLICT' }) })
  assert.equal(stopped, 'TILE_CONFLICT')
})

test('of a partition that stopped before anything was committed nothing is protected, and nothing was lost', async () => {
  const metadata = encodeCommitNote(noteOfNothing('a', topicId, 'TILE_CONFLICT'))
  const { protectedTo, lost, behind, stopped } = await judge({ committed: { offset: 0, metadata }, logStart: 70 })
  assert.deepEqual(
    { protectedTo, lost, behind, stopped },
    { protectedTo: 70, lost: 0, behind: 30, stopped: 'TILE_CONFLICT' },
  )
})

test('what Kafka deleted before it was backed up is lost, and only the rest is behind', async () => {
  assert.deepEqual(await judge({ committed: committed(40), logStart: 70 }), {
    ...whole,
    protectedTo: 40,
    behind: 30,
    behindSeconds: 60,
    lost: 30,
    asked: [70],
  })
})

test('without a commit of this incarnation nothing is protected, and nothing was lost', async () => {
  const metadata = 'of another program'
  for (const other of [undefined, committed(40, 'BBBBBBBBBBBBBBBBBBBBBB'), { offset: 40, metadata }]) {
    assert.deepEqual(await judge({ committed: other, logStart: 20 }), {
      ...whole,
      protectedTo: 20,
      behind: 80,
      behindSeconds: 60,
      asked: [20],
    })
  }
})
