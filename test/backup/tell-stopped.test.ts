import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCommitNote, encodeCommitNote } from '../../src/format/commit-note.ts'
import type { CommitNote } from '../../src/format/commit-note.ts'
import { tellStopped } from '../../src/backup/partition/tell-stopped.ts'
import type { ClusterAdmin, CommittedOffset, TopicDescription } from '../../src/kafka/port/admin.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import type { OwnedOffset } from '../../src/kafka/port/membership.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'

const where = { topic: 'orders', partition: 1 }
const conflict = new MaxbrodError('TILE_CONFLICT', 'taken')
const noted: CommitNote = { archiveId: 'ours', topicId: 'now', lineage: 7, lastFrom: 3, origin: 0 }
const commit = (note: CommitNote) => ({ offset: 40, metadata: encodeCommitNote(note) })

/** What is committed when a partition stops of which the group has committed this, and the cluster says that of its topic. */
async function told(committed?: CommittedOffset, topic: Partial<TopicDescription> | undefined = {}) {
  const found = { name: 'orders', topicId: 'now', error: undefined, ...topic } as TopicDescription
  const admin: Partial<ClusterAdmin> = {
    topics: async () => (topic.name === '' ? [] : [found]),
    committed: async () => new PartitionMap(committed === undefined ? [] : [[where, committed]]),
  }
  const commits: OwnedOffset[] = []
  const committer = { commit: async (offset: OwnedOffset) => (commits.push(offset), 'committed' as const) }
  const deps = { kafka: { admin } as Kafka, groupId: 'g', archiveId: 'ours', committer }
  await tellStopped(deps, { ...where, ended: new AbortController().signal }, conflict)
  assert.ok(commits.length <= 1)
  return commits.map(({ offset, metadata }) => ({ offset, ...decodeCommitNote(metadata) }))[0]
}

test('the group hears why a partition stopped, and keeps where it was', async () => {
  assert.deepEqual(await told(commit(noted)), { offset: 40, ...noted, stopped: 'TILE_CONFLICT' })
})

const nothing = {
  offset: 0,
  archiveId: 'ours',
  topicId: 'now',
  lineage: undefined,
  lastFrom: undefined,
  origin: -1,
  stopped: 'TILE_CONFLICT',
}
for (const [what, committed] of [
  ['before anything was committed', undefined],
  ['behind a commit of the topic that was deleted', commit({ ...noted, topicId: 'before' })],
  ['behind a commit of another program', { offset: 9, metadata: 'by hand' }],
] as const) {
  test(`the group hears of a partition that stopped ${what}, by a note that is no cache`, async () => {
    assert.deepEqual(await told(committed), nothing)
  })
}

test('nothing is told into the group of another archive, nor of a topic that is gone or not to be seen', async () => {
  assert.equal(await told(commit({ ...noted, archiveId: 'theirs' })), undefined)
  assert.equal(await told(commit(noted), { name: '' }), undefined)
  assert.equal(await told(undefined, { error: 'TOPIC_AUTHORIZATION_FAILED', topicId: undefined }), undefined)
})
