import assert from 'node:assert/strict'
import { readdir, readlink } from 'node:fs/promises'
import { test } from 'node:test'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { eventually } from '../helpers/eventually.ts'
import { openChain } from '../helpers/open-chain.ts'
import { proveByCatalog } from '../helpers/catalog-proof.ts'
import { Dice } from '../helpers/seed.ts'

const kib = 1024

test('no file has more records than --max-file-records, and all files but the last have as many', async () => {
  const store = newMemoryStore()
  await using opened = await openChain(store, { maxFileRecords: 100 })
  for (const to of [30, 99, 100, 101, 450, 451]) await opened.read(to)
  await opened.readTile(777)
  await opened.chain.drained()
  await proveByCatalog(store)
  assert.deepEqual(
    opened.uploaded.map(({ records }) => records),
    [100, 100, 100, 100, 100, 100, 100, 77],
  )
  assert.deepEqual(
    opened.uploaded.map(({ reason }) => reason),
    [...Array.from({ length: 7 }, () => 'records'), 'the test says so'],
  )
})

for (const [what, isNoise] of [
  ['that do not compress', true],
  ['that compress well', false],
] as const) {
  test(`no file of records ${what} is larger than --max-file-size, unless of one record`, async () => {
    const store = newMemoryStore()
    await using opened = await openChain(store, { minFileSize: 1e9, maxFileSize: 300 * kib })
    const dice = new Dice(what)
    const noise = dice.bytes(1024 * kib)
    const giant = 200
    for (let at = 0; at < 400; at += 40) {
      const records = plainRecords(40, at).map(({ offset, ...record }) => {
        const length = Number(offset) === giant ? 400 * kib : dice.between(0, 20 * kib)
        const from = dice.between(0, 600 * kib)
        return { ...record, offset, value: isNoise ? noise.subarray(from, from + length) : Buffer.alloc(length, 7) }
      })
      await opened.take(records)
    }
    opened.seal()
    opened.chain.close(400, 'the end')
    await opened.chain.drained()
    const [tiles] = [...(await proveByCatalog(store)).values()]
    assert.equal(tiles!.at(-1)!.to, 400)
    const sizes = opened.uploaded.map(file => [file.bytes, file.records] as const)
    for (const [size, count] of sizes) assert.ok(size <= 300 * kib || count === 1, `${size} bytes, ${count} records`)
    if (!isNoise) return
    assert.ok(
      sizes.some(([size]) => size > 300 * kib),
      'the giant did not make a file of its own',
    )
    const mean = sizes.reduce((sum, [size]) => sum + size, 0) / sizes.length
    assert.ok(mean > 200 * kib, `files of ${mean} bytes`)
  })
}

test('complete files that wait for their upload hold no open file', async () => {
  const store = newMemoryStore()
  const blocked = Promise.withResolvers<void>()
  const slow = {
    ...store,
    put: async (...args: Parameters<typeof store.put>) => (await blocked.promise, store.put(...args)),
  }
  await using opened = await openChain(slow, { maxFileRecords: 10, memoryBytes: 64 })
  await opened.read(1_000)
  const isOpen = (path: string) => path.startsWith(opened.spoolFolder)
  await eventually('100 spool files and their notes', async () => (await opened.spoolFiles()).length === 200)
  await eventually('none of them open', async () => (await openFiles()).filter(isOpen).length === 0)
  blocked.resolve()
  await opened.chain.drained()
  assert.equal(opened.uploaded.length, 100)
})

async function openFiles(): Promise<string[]> {
  const names = await readdir('/proc/self/fd')
  return Promise.all(names.map(name => readlink(`/proc/self/fd/${name}`).catch(() => '')))
}
