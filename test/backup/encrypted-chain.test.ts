import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCommitNote, encodeCommitNote } from '../../src/format/commit-note.ts'
import { findResumePoint } from '../../src/backup/resume/resume.ts'
import { walkChain } from '../../src/catalog/chain-walk.ts'
import { tileKey } from '../../src/format/keys.ts'
import type { MaxbrodError } from '../../src/runtime/errors.ts'
import { sealFor } from '../../src/storage/age/seal.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { proveByCatalog } from '../helpers/catalog-proof.ts'
import { all, bodyOf, contentOf } from '../helpers/object-bodies.ts'
import { openChain } from '../helpers/open-chain.ts'
import { objectsIn } from '../helpers/stored-backup.ts'
import { identity, place, putTile, tileFile } from '../helpers/tile-files.ts'

// A worker holds public keys only: no store here can decrypt, but where the test looks at what came of it.

const key = newAgeKey()
const seal = sealFor([key.recipient])
const never = new AbortController().signal

async function spansIn(store: ObjectStore): Promise<(readonly [number, number])[]> {
  const opened = decrypting(store, { identities: [key.identity], mustBeSealed: () => false })
  return ((await proveByCatalog(opened)).get('orders/3/') ?? []).map(({ from, to }) => [from, to] as const)
}

test('a chain goes on encrypted behind plain files, and the facts beside each file tell what a worker must know', async () => {
  const store = newMemoryStore()
  await putTile(store, await tileFile(0, 10, { uploadId: 'theirs' }))
  await using opened = await openChain(store, { resume: { chainEnd: 10 }, seal })
  await opened.readTile(20)
  await opened.readTile(30)
  await opened.chain.drained()
  assert.deepEqual(opened.troubles, [])
  const keys = (await all(store.list('orders/'))).map(one => one.key)
  assert.deepEqual(keys, [tileKey(place, 0), tileKey(place, 10, true), tileKey(place, 20, true)])
  assert.deepEqual(
    opened.uploaded.map(one => one.key),
    keys.slice(1),
  )
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 20],
    [20, 30],
  ])
  const chain = await walkChain(store, place, identity, 'the first tile', never)
  assert.deepEqual(chain, {
    end: 30,
    lastFrom: 20,
    isLastEncrypted: true,
    leaderEpoch: 0,
    nextFrom: undefined,
    unchecked: 0,
  })
})

test('the next worker goes on behind an encrypted file, by the note of its commit and without one', async () => {
  const store = newMemoryStore()
  await using opened = await openChain(store, { resume: { chainEnd: 5, origin: 5 }, seal })
  await opened.readTile(20)
  await opened.readTile(30)
  await opened.chain.drained()
  const ours = { ...identity, archiveId: 'ours' }
  const note = { archiveId: 'ours', topicId: identity.topicId, lineage: undefined, lastFrom: 20, origin: 5 }
  assert.ok(decodeCommitNote(encodeCommitNote(note)))
  for (const committed of [undefined, { offset: 30, metadata: encodeCommitNote(note), leaderEpoch: -1 }]) {
    const bounds = { logStart: 0, highWatermark: 100 }
    const resume = await findResumePoint(store, place, ours, committed, bounds, never)
    assert.deepEqual([resume.chainEnd, resume.lastFrom, resume.origin], [30, 20, 5])
  }
})

test('an encrypted file of ours whose answer was lost is known by its upload id, although its bytes are others each time', async () => {
  const real = newMemoryStore()
  let puts = 0
  const store: ObjectStore = {
    ...real,
    async put(name, body, facts, signal) {
      puts++
      const put = await real.put(name, body, facts, signal)
      if (puts === 1) throw new Error('the answer was lost')
      return put
    },
  }
  await using opened = await openChain(store, { seal })
  await opened.readTile(10)
  await opened.chain.drained()
  assert.deepEqual([puts, opened.troubles.length, opened.moved.length], [2, 1, 0])
  assert.deepEqual(opened.commits.at(-1), { offset: 10, lastFrom: 0 })
  assert.deepEqual(await spansIn(real), [[0, 10]])
})

test('an encrypted file of somebody else is adopted by the facts beside it', async () => {
  const store = newMemoryStore()
  await using theirs = await openChain(store, { seal })
  await using ours = await openChain(store, { seal })
  await theirs.readTile(17)
  await theirs.chain.drained()
  await ours.readTile(10)
  await ours.chain.drained()
  assert.deepEqual(ours.moved, [{ position: 17, barrier: undefined }])
  assert.deepEqual(await spansIn(store), [[0, 17]])
})

test('an encrypted file that was moved to another name stops the chain, and ours is kept aside, encrypted, once', async () => {
  const store = newMemoryStore()
  await using theirs = await openChain(store, { seal })
  await theirs.readTile(10)
  await theirs.readTile(20)
  await theirs.chain.drained()
  const moved = await store.get(tileKey(place, 10, true))
  const bytes = await contentOf(moved)
  const elsewhere = newMemoryStore()
  const body = bodyOf(bytes)
  await elsewhere.put(tileKey(place, 0, true), body, moved.facts)
  let tries = 0
  await using ours = await openChain(elsewhere, { seal, onTrouble: () => ((tries += 1) < 3 ? 'try again' : 'stop') })
  await ours.readTile(5)
  await ours.chain.drained()
  const codes = ours.troubles.map(error => (error as MaxbrodError).code)
  assert.deepEqual(codes, ['TILE_CONFLICT', 'TILE_CONFLICT', 'TILE_CONFLICT'])
  assert.match((ours.troubles[0] as MaxbrodError).message, /orders-3 from 10: it was stored under another file’s name/)
  const kept = (await all(elsewhere.list('@conflicts/'))).map(one => one.key)
  assert.equal(kept.length, 1)
  assert.match(kept[0]!, /^@conflicts\/[0-9a-f]{64}\.avro\.age$/)
  assert.ok((await contentOf(await elsewhere.get(kept[0]!))).toString('latin1').startsWith('age-encryption.org/v1\n'))
})

test('a store that keeps fewer bytes than it was given is found out before anything is committed', async () => {
  const real = newMemoryStore()
  const store: ObjectStore = {
    ...real,
    async put(name, body, facts, signal) {
      const pieces: Uint8Array[] = []
      for await (const piece of body.open()) pieces.push(piece)
      const short = Buffer.concat(pieces).subarray(0, -1)
      return real.put(name, bodyOf(short), facts, signal)
    },
  }
  await using opened = await openChain(store, { seal, onTrouble: () => 'stop' })
  await opened.readTile(10)
  await opened.chain.drained()
  assert.deepEqual([(opened.troubles[0] as MaxbrodError).code, opened.commits], ['OBJECT_CORRUPT', []])
  assert.equal((await objectsIn(real)).size, 1)
})
