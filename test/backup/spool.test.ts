import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import type { PartitionIdentity } from '../../src/backup/resume/identity.ts'
import type { Continued } from '../../src/backup/spool/spool-fit.ts'
import { Spool, openSpool } from '../../src/backup/spool/spool.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { proveByCatalog } from '../helpers/catalog-proof.ts'
import { logToRead } from '../helpers/log-lines.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { openChain } from '../helpers/open-chain.ts'
import { partitionsOf, readBackup } from '../helpers/stored-backup.ts'
import { identity, place, putTile, tileFile } from '../helpers/tile-files.ts'

async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-spool-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** The spans of the files in a store, after the catalog's proof. */
async function spansIn(store: ObjectStore): Promise<(readonly [number, number])[]> {
  const proven = await proveByCatalog(store)
  return (proven.get('orders/3/') ?? []).map(({ from, to }) => [from, to] as const)
}

/** The offsets that are in a store, read record by record against what the headers say. */
async function offsetsIn(store: ObjectStore): Promise<number[]> {
  const [partition] = partitionsOf(await readBackup(store), 'orders')
  return partition!.records.map(({ offset }) => Number(offset))
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

/** Leaves an open tile of the offsets 10 to 40, three blocks, in a folder. */
async function leaveTile(spoolFolder: string, store = newMemoryStore()): Promise<void> {
  await using opened = await openChain(store, { spoolFolder, resume: { chainEnd: 10, origin: 10 } })
  for (const to of [20, 30, 40]) await opened.read(to)
  await opened.leave()
}

const ours: PartitionIdentity = { ...identity, archiveId: 'ours' }

async function takeFrom(folder: string, change: Partial<Continued & PartitionIdentity> = {}, group = 'maxbrod') {
  const clock = new ManualClock()
  const spool = new Spool({ disk: nodeDisk, folder, clock, log: silentLogger, group, maxOpenFiles: 8 })
  await spool.open()
  const tiles = await spool.take(
    place,
    { ...ours, ...change },
    { from: 10, limit: Infinity, leaderEpoch: 7, ...change },
  )
  return tiles.map(({ head, to }) => [head.from, to])
}

test('a spool that continues the chain is resumed: reading goes on behind it, and all of it becomes one file', async () => {
  await using owned = await newFolder()
  const spoolFolder = owned.folder
  const store = newMemoryStore()
  await leaveTile(spoolFolder, store)
  await using opened = await openChain(store, { spoolFolder, resume: { chainEnd: 10, origin: 10 } })
  assert.equal(opened.position(), 40)
  await opened.readTile(55)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [[10, 55]])
  assert.deepEqual(await offsetsIn(store), range(10, 55))
  assert.deepEqual(opened.commits, [{ offset: 55, lastFrom: 10 }])
})

test('complete tiles that were left are uploaded in their order, the open one is filled on', async () => {
  await using owned = await newFolder()
  const spoolFolder = owned.folder
  let isDown = true
  const real = newMemoryStore()
  const put: ObjectStore['put'] = (...args) => (isDown ? new Promise(() => undefined) : real.put(...args))
  const store = { ...real, put }
  {
    await using opened = await openChain(store, { spoolFolder })
    await opened.readTile(10)
    await opened.readTile(20)
    await opened.read(30)
    await opened.leave()
  }
  isDown = false
  await using opened = await openChain(store, { spoolFolder })
  assert.deepEqual([opened.position(), opened.chain.waiting], [30, 2])
  await opened.chain.commitStart()
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 20],
  ])
  await opened.readTile(31)
  await opened.chain.drained()
  assert.deepEqual((await spansIn(store)).at(-1), [20, 31])
  assert.deepEqual(await offsetsIn(store), range(0, 31))
})

test('offsets that held nothing are in the next file only if the leader is the same: another one may have records there', async () => {
  const deaf = { ...newMemoryStore(), put: () => new Promise<never>(() => undefined) }
  for (const [leaderEpoch, taken] of [
    [7, [[0, 15]]],
    [8, []],
  ] as const) {
    await using owned = await newFolder()
    {
      await using opened = await openChain(deaf, { spoolFolder: owned.folder, leaderEpoch: 7 })
      opened.chain.close(15, 'its age')
      await opened.leave()
    }
    assert.deepEqual(await takeFrom(owned.folder, { from: 0, leaderEpoch }), taken)
  }
})

test('a tile whose upload came through before the crash is our own lost answer: it is not stored twice, and no conflict', async () => {
  await using owned = await newFolder()
  const spoolFolder = owned.folder
  const store = newMemoryStore()
  const deaf = { ...store, put: async (...args: Parameters<ObjectStore['put']>) => (await store.put(...args), never()) }
  {
    await using opened = await openChain(deaf, { spoolFolder })
    await opened.readTile(10)
    await opened.leave()
  }
  await using opened = await openChain(store, { spoolFolder })
  await opened.readTile(20)
  await opened.chain.commitStart()
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 20],
  ])
  assert.deepEqual(await offsetsIn(store), range(0, 20))
  assert.deepEqual([opened.moved, opened.troubles], [[], []])
})

const fits: Record<string, [change: Partial<Continued & PartitionIdentity>, group?: string]> = {
  'the chain ends elsewhere: somebody uploaded meanwhile': [{ from: 20 }],
  'the chain ends before it': [{ from: 5 }],
  'it ends behind what lies ahead in the store, or behind the end of the log': [{ limit: 39 }],
  'the leader is another one, which may have cut the log': [{ leaderEpoch: 8 }],
  'another cluster': [{ clusterId: 'other' }],
  'another archive': [{ archiveId: 'other' }],
  'a broker without topic ids': [{ topicId: undefined }],
  'another lineage': [{ lineage: 3 }],
  'another group': [{}, 'other'],
}

for (const [what, [change, group]] of Object.entries(fits)) {
  test(`a spool that does not continue the chain is dropped: ${what}`, async () => {
    await using owned = await newFolder()
    await leaveTile(owned.folder)
    assert.equal((await readdir(owned.folder)).length, 2)
    assert.deepEqual(await takeFrom(owned.folder, change, group), [])
    assert.deepEqual(await readdir(owned.folder), [])
  })
}

test('a spool that does continue the chain is taken, whatever the leader where Kafka has lost those offsets', async () => {
  for (const change of [{}, { leaderEpoch: undefined }, { limit: 40 }]) {
    await using owned = await newFolder()
    await leaveTile(owned.folder)
    assert.deepEqual(await takeFrom(owned.folder, change), [[10, 40]])
    assert.equal((await readdir(owned.folder)).length, 2)
  }
})

test('a newer file in the store is never touched: what was spooled beside it is dropped', async () => {
  await using owned = await newFolder()
  const spoolFolder = owned.folder
  const store = newMemoryStore()
  await leaveTile(spoolFolder, store)
  const theirs = await tileFile(10, 25, { uploadId: 'theirs', origin: 10 })
  // Found while the spool is uploaded, and found before.
  for (const chainEnd of [10, 25]) {
    const copy = join(spoolFolder, String(chainEnd))
    await mkdir(copy)
    for (const name of await readdir(spoolFolder))
      if (name.length > 30) await cp(join(spoolFolder, name), join(copy, name))
    if (chainEnd === 10) await putTile(store, theirs)
    await using opened = await openChain(store, { spoolFolder: copy, resume: { chainEnd, origin: 10 } })
    assert.equal(opened.position(), chainEnd === 10 ? 40 : 25)
    opened.chain.close(opened.position(), 'the test says so')
    await opened.chain.drained()
    assert.equal(opened.position(), 25)
    assert.deepEqual(opened.troubles, [])
  }
  assert.deepEqual(await spansIn(store), [[10, 25]])
})

test('what nobody can understand is removed at the start, and nothing that is not ours', async () => {
  await using owned = await newFolder()
  const spool = owned.folder
  await mkdir(join(spool, 'foo/123'), { recursive: true })
  const id = '0123456789abcdef'.repeat(2)
  const foreign = ['notes.blocks', `${id.toUpperCase()}.blocks`, `${id}.blocks.bak`, '0123.blocks', `${id}.draft`]
  const left = [`${id}.blocks`, `${'f'.repeat(32)}.notes`, 'room.probe']
  for (const name of [...left, ...foreign, 'foo/123/x']) await writeFile(join(spool, name), 'x')
  assert.deepEqual(await takeFrom(spool), [])
  assert.deepEqual(await readdir(spool), ['foo', ...foreign].sort())
  assert.equal(await readFile(join(spool, 'foo/123/x'), 'utf8'), 'x')
})

test('a spool file of another version, or a damaged one, is removed with a warning that says whose records it held', async () => {
  const line = (text: string) => `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`
  const ofVersion2 = (notes: string) => {
    const end = notes.indexOf('\n')
    return line(notes.slice(9, end).replace('"format":1', '"format":2')) + notes.slice(end + 1)
  }
  for (const [change, reason, facts] of [
    [ofVersion2, /format 2/, ['orders', 3, 10, 40]],
    [(notes: string) => notes.replace('orders', 'ordres'), /damaged/, [undefined, undefined, undefined, undefined]],
    [(notes: string) => line('{"version":"x"}') + notes, /no known format/, [undefined, undefined, undefined, 40]],
  ] as const) {
    await using owned = await newFolder()
    await leaveTile(owned.folder)
    const name = (await readdir(owned.folder)).find(one => one.endsWith('.notes'))!
    const path = join(owned.folder, name)
    await writeFile(path, change(await readFile(path, 'utf8')))
    const { log, lines } = logToRead()
    const clock = new ManualClock()
    await openSpool(owned.folder, { disk: nodeDisk, clock, log }, { groupId: 'maxbrod', maxOpenFiles: 8 })
    assert.deepEqual(await readdir(owned.folder), [])
    const [told, ...more] = lines()
    assert.deepEqual(more, [])
    assert.match(String(told!['reason']), reason)
    assert.deepEqual([told!['topic'], told!['partition'], told!['from'], told!['to']], facts)
    assert.deepEqual([told!.level, told!['path']], ['warn', path.replace('.notes', '.blocks')])
  }
})

function never(): Promise<never> {
  return new Promise(() => undefined)
}
