import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommitNote } from '../../src/format/commit-note.ts'
import { encodeCommitNote } from '../../src/format/commit-note.ts'
import { noteOfNothing } from '../../src/backup/resume/commit-note.ts'
import type { LogBounds } from '../../src/backup/resume/resume.ts'
import { findResumePoint } from '../../src/backup/resume/resume.ts'
import type { TileHeader } from '../../src/format/tile-header.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { identity as cluster, place, putTile, tileFile } from '../helpers/tile-files.ts'

const identity = { ...cluster, archiveId: 'ours' }
const never = new AbortController().signal
const otherTopic = 'AAAAAAAAAAAAAAAAAAAAAA'

type Span = readonly [from: number, to: number, change?: Partial<TileHeader>]

async function storeOf(...spans: readonly Span[]): Promise<ObjectStore> {
  const store = newMemoryStore()
  for (const [from, to, change] of spans) await putTile(store, await tileFile(from, to, { origin: 5, ...change }))
  return store
}

function commit(offset: number, lastFrom: number | undefined, more: Partial<CommitNote> = {}) {
  const note = { archiveId: 'ours', topicId: identity.topicId, lineage: undefined, lastFrom, origin: 5, ...more }
  return { offset, metadata: encodeCommitNote(note) }
}

interface Case {
  readonly tiles: readonly Span[]
  readonly committed?: { readonly offset: number; readonly metadata: string }
  readonly log?: Partial<LogBounds>
  readonly at: {
    readonly chainEnd: number
    readonly lastFrom?: number
    readonly origin: number
    readonly gap?: readonly [number, number]
    readonly barrier?: number
  }
}

const chain: readonly Span[] = [
  [5, 10],
  [10, 20],
  [20, 30],
]

const cases: Record<string, Case> = {
  'nothing anywhere: at the start of the log': { tiles: [], log: { logStart: 5 }, at: { chainEnd: 5, origin: 5 } },
  'a commit that is the end of the chain': {
    tiles: chain,
    committed: commit(30, 20),
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'a commit before the first tile': {
    tiles: [],
    committed: commit(5, undefined),
    at: { chainEnd: 5, origin: 5 },
  },
  'a commit before the first tile, which was added later': {
    tiles: chain,
    committed: commit(5, undefined),
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'a stale commit, from which the chain goes on': {
    tiles: chain,
    committed: commit(10, 5),
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'no commit: the store alone': { tiles: chain, at: { chainEnd: 30, lastFrom: 20, origin: 5 } },
  'a commit of another program: the store alone': {
    tiles: chain,
    committed: { offset: 12, metadata: 'by hand' },
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'a commit beyond the chain, whose tile is gone: the end of what is there': {
    tiles: chain,
    committed: commit(40, 30),
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'a commit inside a tile: the end of what is there': {
    tiles: chain,
    committed: commit(25, 20),
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'a commit that names a start where the origin is not': {
    tiles: [],
    committed: commit(17, undefined),
    log: { logStart: 3 },
    at: { chainEnd: 3, origin: 3 },
  },
  'a note of a partition that stopped before anything was committed: the store alone': {
    tiles: chain,
    committed: { offset: 0, metadata: encodeCommitNote(noteOfNothing('ours', identity.topicId, 'TILE_CONFLICT')) },
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'such a note, and no tile: at the start of the log': {
    tiles: [],
    committed: { offset: 0, metadata: encodeCommitNote(noteOfNothing('ours', identity.topicId, 'TILE_CONFLICT')) },
    log: { logStart: 3 },
    at: { chainEnd: 3, origin: 3 },
  },
  'a commit of another incarnation is void': {
    tiles: [],
    committed: commit(30, 20, { topicId: otherTopic }),
    log: { logStart: 0 },
    at: { chainEnd: 0, origin: 0 },
  },
  'a commit of another lineage is void': {
    tiles: chain.slice(0, 1),
    committed: commit(30, 20, { lineage: 4 }),
    at: { chainEnd: 10, lastFrom: 5, origin: 5 },
  },
  'a hole is filled up to the tile behind it': {
    tiles: [...chain, [35, 50]],
    at: { chainEnd: 30, lastFrom: 20, origin: 5, barrier: 35 },
  },
  'a hole behind a commit that is good': {
    tiles: [...chain, [35, 50]],
    committed: commit(30, 20),
    at: { chainEnd: 30, lastFrom: 20, origin: 5, barrier: 35 },
  },
  'a log that begins behind the chain is a gap': {
    tiles: chain,
    log: { logStart: 44 },
    at: { chainEnd: 30, lastFrom: 20, origin: 5, gap: [30, 44] },
  },
  'a gap is no longer than the hole': {
    tiles: [...chain, [35, 50]],
    log: { logStart: 44 },
    at: { chainEnd: 30, lastFrom: 20, origin: 5, gap: [30, 35], barrier: 35 },
  },
  'a log that begins inside of a hole': {
    tiles: [...chain, [35, 50]],
    log: { logStart: 32 },
    at: { chainEnd: 30, lastFrom: 20, origin: 5, gap: [30, 32], barrier: 35 },
  },
  'a log that begins where the chain ends is no gap': {
    tiles: chain,
    log: { logStart: 30 },
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'a log that ends where the chain ends': {
    tiles: chain,
    log: { highWatermark: 30 },
    at: { chainEnd: 30, lastFrom: 20, origin: 5 },
  },
  'a commit that was made at the start of a log that has lost its head since': {
    tiles: [],
    committed: commit(5, undefined),
    log: { logStart: 9 },
    at: { chainEnd: 5, origin: 5, gap: [5, 9] },
  },
}

function find(store: ObjectStore, { committed, log }: Pick<Case, 'committed' | 'log'>) {
  return findResumePoint(store, place, identity, committed, { logStart: 0, highWatermark: 100, ...log }, never)
}

async function resume(store: ObjectStore, one: Pick<Case, 'committed' | 'log'>) {
  const { leaderEpoch: _, unchecked: __, ...rest } = await find(store, one)
  return rest
}

for (const [what, one] of Object.entries(cases)) {
  test(`where a worker goes on: ${what}`, async () => {
    const { chainEnd, lastFrom, origin, gap, barrier } = one.at
    assert.deepEqual(await resume(await storeOf(...one.tiles), one), {
      chainEnd,
      lastFrom,
      origin,
      gap: gap === undefined ? undefined : { from: gap[0], to: gap[1], reason: 'retention' },
      barrier,
    })
  })
}

test('a commit of another archive is refused, whatever else it says', async () => {
  for (const more of [{}, { topicId: otherTopic }, { lineage: 3 }]) {
    const committed = commit(30, 20, { archiveId: 'theirs', ...more })
    await assert.rejects(resume(await storeOf(...chain), { committed }), { code: 'FOREIGN_ARCHIVE' })
  }
})

test('what stands in the way of the chain and is no tile of it is a conflict', async () => {
  const foreign = await storeOf(...chain, [30, 40, { topicId: otherTopic }])
  await assert.rejects(resume(foreign, {}), { code: 'TILE_CONFLICT', message: /written for topic id AAAA/ })
  await assert.rejects(resume(foreign, { committed: commit(30, 20) }), { code: 'TILE_CONFLICT' })
  const damaged = await storeOf(...chain)
  await damaged.put((await tileFile(30, 40)).key, bodyOf('hello'), {})
  await assert.rejects(resume(damaged, {}), { code: 'TILE_CONFLICT', message: /no Avro container/ })
})

test('a log that ends before the backup does is refused by both ends', async () => {
  const unknown = { leaderEpoch: -1 }
  const store = await storeOf([5, 10], [10, 20], [20, 30, unknown])
  await assert.rejects(resume(store, { log: { highWatermark: 29 } }), {
    code: 'LOG_BEHIND_BACKUP',
    message: 'orders-3 ends at 29, and the backup holds it up to 30',
  })
})

test('where the leader epoch of the last file is known, Kafka is asked whether its log still has it', async () => {
  const store = await storeOf([5, 10], [10, 30, { leaderEpoch: 6 }])
  for (const one of [{}, { committed: commit(30, 10) }, { committed: commit(10, 5) }]) {
    const { chainEnd, leaderEpoch } = await find(store, { ...one, log: { highWatermark: 29 } })
    assert.deepEqual({ chainEnd, leaderEpoch }, { chainEnd: 30, leaderEpoch: 6 })
  }
})

test('with a good commit, only its own tile is read, and the listing begins behind it', async () => {
  const inner = await storeOf(...chain)
  const read: string[] = []
  const store: ObjectStore = {
    ...inner,
    get(key, options) {
      read.push(key)
      return inner.get(key, options)
    },
  }
  await resume(store, { committed: commit(30, 20) })
  assert.deepEqual([...new Set(read)], [(await tileFile(20, 30)).key])
})
