import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCommitNote } from '../../src/format/commit-note.ts'
import { noteOfNothing } from '../../src/backup/resume/commit-note.ts'
import { findLineage, listLineages } from '../../src/backup/resume/lineage.ts'
import type { LineageQuestion } from '../../src/backup/resume/lineage.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { putTile } from '../helpers/put-tile.ts'
import { plainRecords } from '../helpers/data-file.ts'

const topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
const first = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
const identity = { archiveId: 'ours', clusterId: 'MkU3OEVBNTcwNTJENDM2Qg', topicId, lineage: undefined }
const { signal } = new AbortController()

type Tile = readonly [from: number, to: number, leaderEpoch: number]

async function storeOf(chains: readonly { readonly lineage?: number; readonly tiles: readonly Tile[] }[]) {
  const store = newMemoryStore()
  for (const { lineage, tiles } of chains)
    for (const [from, to, leaderEpoch] of tiles) {
      const more = { leaderEpoch, origin: tiles[0]![0] }
      const place = { ...first, lineage }
      await putTile(store, place, { from, to }, [plainRecords(to - from, from)], undefined, more)
    }
  return store
}

async function ask(store: ObjectStore, more: Partial<LineageQuestion> = {}) {
  const {
    place,
    identity: found,
    resume,
    cutAt,
  } = await findLineage({
    store,
    place: first,
    identity,
    committed: undefined,
    bounds: { logStart: 0, highWatermark: 1_000 },
    listed: () => listLineages(store, 'orders', undefined, signal),
    leaderEpoch: 9,
    divergence: undefined,
    signal,
    ...more,
  })
  assert.equal(place.lineage, found.lineage)
  const { chainEnd, leaderEpoch, origin, gap } = resume
  return { lineage: place.lineage, chainEnd, leaderEpoch, origin, gap: gap?.to, cutAt }
}

const commit = (lineage: number | undefined, offset: number, lastFrom: number | undefined, origin = 0) => ({
  offset,
  metadata: encodeCommitNote({ archiveId: 'ours', topicId, lineage, lastFrom, origin }),
})
const diverged = (offset: number, asked: number, leaderEpoch: number, endOffset: number) => ({
  asked: { offset, leaderEpoch: asked },
  leaderEpoch,
  endOffset,
})

const old: readonly Tile[] = [
  [0, 10, 2],
  [10, 20, 3],
  [20, 30, 5],
]
const same = { gap: undefined, cutAt: undefined }

test('a partition that nobody cut goes on in its first lineage', async () => {
  assert.deepEqual(await ask(await storeOf([{ tiles: old }])), {
    ...same,
    lineage: undefined,
    chainEnd: 30,
    leaderEpoch: 5,
    origin: 0,
  })
})

test('a note that only says why the last owner stopped tells nothing of the lineage: the newest one counts', async () => {
  const store = await storeOf([{ tiles: old }, { lineage: 7, tiles: [[25, 40, 7]] }])
  const committed = { offset: 0, metadata: encodeCommitNote(noteOfNothing('ours', topicId, 'TILE_CONFLICT')) }
  const found = await ask(store, { committed })
  assert.deepEqual(found, { ...same, lineage: 7, chainEnd: 40, leaderEpoch: 7, origin: 25 })
})

test('without a commit that says which, the newest lineage counts', async () => {
  const store = await storeOf([{ tiles: old }, { lineage: 7, tiles: [[25, 40, 7]] }])
  const wanted = { ...same, lineage: 7, chainEnd: 40, leaderEpoch: 7, origin: 25 }
  assert.deepEqual(await ask(store), wanted)
  assert.deepEqual(await ask(store, { committed: commit(7, 40, 25, 25) }), wanted)
})

test('a lineage that has no file yet is known from the commit', async () => {
  const store = await storeOf([{ tiles: old }])
  assert.deepEqual(await ask(store, { committed: commit(7, 25, undefined, 25) }), {
    ...same,
    lineage: 7,
    chainEnd: 25,
    leaderEpoch: -1,
    origin: 25,
  })
})

test('a log that was cut within the last epoch begins a lineage exactly there', async () => {
  assert.deepEqual(await ask(await storeOf([{ tiles: old }]), { divergence: diverged(30, 5, 5, 23) }), {
    lineage: 9,
    chainEnd: 23,
    leaderEpoch: 5,
    origin: 23,
    gap: undefined,
    cutAt: 23,
  })
})

test('a log that lost whole epochs begins a lineage behind the last file that it certainly has', async () => {
  const found = await ask(await storeOf([{ tiles: old }]), { divergence: diverged(30, 5, 4, 25) })
  assert.deepEqual([found.cutAt, found.leaderEpoch], [20, 3])
  const earlier = await ask(await storeOf([{ tiles: old }]), { divergence: diverged(30, 5, 3, 15) })
  assert.deepEqual([earlier.cutAt, earlier.leaderEpoch], [10, 2])
  // Not even the first file is certain: all that Kafka has is read again.
  const all = await ask(await storeOf([{ tiles: old }]), { divergence: diverged(30, 5, 1, 15) })
  assert.deepEqual([all.cutAt, all.leaderEpoch], [0, -1])
})

test('what retention took of a new lineage is a gap at its beginning', async () => {
  const bounds = { logStart: 27, highWatermark: 1_000 }
  const found = await ask(await storeOf([{ tiles: old }]), { bounds, divergence: diverged(30, 5, 5, 23) })
  assert.deepEqual([found.chainEnd, found.gap], [23, 27])
})

test('what Kafka said of another place than the end of the chain is asked again there', async () => {
  const found = await ask(await storeOf([{ tiles: old }]), { divergence: diverged(50, 5, 5, 23) })
  assert.deepEqual([found.lineage, found.chainEnd, found.cutAt], [undefined, 30, undefined])
})

test('a lineage that somebody began, and whose commit was lost, is gone on with', async () => {
  const store = await storeOf([{ tiles: old }, { lineage: 7, tiles: [[23, 40, 7]] }])
  const question = { committed: commit(undefined, 30, 20), divergence: diverged(30, 5, 5, 23) }
  assert.deepEqual(await ask(store, question), {
    ...same,
    lineage: 7,
    chainEnd: 40,
    leaderEpoch: 7,
    origin: 23,
  })
})

test('a lineage without a file may begin earlier when the log has still another history', async () => {
  const store = await storeOf([{ tiles: old }])
  const found = await ask(store, { committed: commit(9, 25, undefined, 25), divergence: diverged(25, 5, 5, 15) })
  assert.deepEqual([found.lineage, found.cutAt], [9, 15])
})

test('no second lineage of the same epoch: the leader must be known first', async () => {
  const store = await storeOf([{ tiles: old }, { lineage: 9, tiles: [[23, 40, 9]] }])
  await assert.rejects(ask(store, { divergence: diverged(40, 9, 8, 30) }), { code: 'KAFKA_GAVE_UP' })
})

test('an epoch that the log does not know leads to no endless question', async () => {
  const bounds = { logStart: 30, highWatermark: 1_000 }
  const found = await ask(await storeOf([{ tiles: [[20, 30, 5]] }]), { bounds, divergence: diverged(30, 5, 4, 50) })
  assert.deepEqual([found.lineage, found.chainEnd, found.leaderEpoch, found.cutAt], [undefined, 30, -1, undefined])
})
