import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { eventually } from '../helpers/eventually.ts'
import { spansIn, storeWith } from '../helpers/chain-stores.ts'
import { openChain } from '../helpers/open-chain.ts'

const unreachable = () => new MaxbrodError('STORAGE_UNREACHABLE', 'as the test wants')

test('tiles go up one behind the other, each is committed, and their spool files are gone', async () => {
  const store = newMemoryStore()
  await using opened = await openChain(store)
  for (const to of [10, 25, 26]) await opened.readTile(to)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 25],
    [25, 26],
  ])
  assert.deepEqual(opened.commits, [
    { offset: 10, lastFrom: 0 },
    { offset: 25, lastFrom: 10 },
    { offset: 26, lastFrom: 25 },
  ])
  assert.deepEqual(
    opened.uploaded.map(({ from, to, records }) => [from, to, records]),
    [
      [0, 10, 10],
      [10, 25, 15],
      [25, 26, 1],
    ],
  )
  await eventually('no spool file is left', async () => (await opened.spoolFiles()).length === 0)
})

test('a tile is closed by its size at once, by its age at the next look, and covers offsets without records', async () => {
  const store = newMemoryStore()
  await using opened = await openChain(store, { minFileSize: 1 })
  await opened.read(10)
  await eventually('the first tile is up', async () => (await spansIn(store)).length === 1)
  opened.chain.covered(40)
  opened.clock.advance(4_999)
  opened.chain.rotate(40, false)
  assert.equal(opened.chain.waiting, 0)
  opened.clock.advance(1)
  opened.chain.rotate(40, false)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 40],
  ])
  assert.deepEqual(
    opened.uploaded.map(({ reason, records }) => [reason, records]),
    [
      ['size', 10],
      ['age', 0],
    ],
  )
})

test('a gap begins a tile of its own, which says so', async () => {
  const store = newMemoryStore()
  await using opened = await openChain(store)
  await opened.read(10)
  opened.chain.addGap({ from: 10, to: 25, reason: 'retention' })
  opened.skipTo(25)
  await opened.readTile(30)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 30],
  ])
  assert.deepEqual(
    opened.uploaded.map(({ gaps, records }) => [gaps, records]),
    [
      [[], 10],
      [[{ from: 10, to: 25, reason: 'retention' }], 5],
    ],
  )
})

test('a chain that commits no more still uploads, for a topic that was deleted', async () => {
  const store = newMemoryStore()
  await using opened = await openChain(store)
  opened.chain.commitNoMore()
  await opened.readTile(10)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [[0, 10]])
  assert.deepEqual(opened.commits, [])
})

test('a chain that was discarded forgets what it had, and takes nothing more', async () => {
  const store = storeWith(() => ({ put: () => Promise.reject(unreachable()) }))
  await using opened = await openChain(store, { onTrouble: () => 'stop' })
  await opened.readTile(10)
  await opened.read(15)
  await opened.chain.discard()
  assert.deepEqual(await opened.spoolFiles(), [])
  await opened.readTile(30)
  await opened.chain.drained()
  assert.deepEqual(await opened.spoolFiles(), [])
  assert.equal(opened.chain.spooledBytes, 0)
})

test('what was read of a topic that is another one by now is not uploaded', async () => {
  const store = newMemoryStore()
  let isSame = true
  await using opened = await openChain(store, {
    isSameTopic() {
      if (!isSame) void opened.chain.discard()
      return isSame
    },
  })
  await opened.readTile(10)
  await opened.chain.drained()
  isSame = false
  await opened.readTile(20)
  await opened.readTile(30)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [[0, 10]])
  assert.deepEqual(
    opened.commits.map(({ offset }) => offset),
    [10],
  )
})
