import assert from 'node:assert/strict'
import {
  access,
  link,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { writeDraft } from '../../src/storage/directory-draft.ts'
import { DurableFolders } from '../../src/storage/directory-files.ts'
import { DirectoryLayout } from '../../src/storage/directory-layout.ts'
import { publish } from '../../src/storage/directory-publish.ts'
import { all, bodyOf, contentOf } from '../helpers/object-bodies.ts'

const key = 'orders/0/a.avro'

/** A store with one key at which a writer has got as far as his facts, and no further. */
async function openInterrupted() {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-store-'))
  const layout = new DirectoryLayout(folder)
  const folders = new DurableFolders(layout.root)
  await folders.make(layout.drafts)
  const draft = await writeDraft(layout, key, bodyOf('of the dead'), { writer: 'dead' }, undefined)
  await folders.make(join(folder, '@meta/orders/0'))
  const facts = join(folder, '@meta', `${key}.json`)
  await link(draft.facts, facts)
  return {
    folder,
    layout,
    folders,
    draft,
    store: openDirectoryStore(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

test('facts of a killed writer are no object yet', async () => {
  await using at = await openInterrupted()
  assert.equal(await at.store.head(key), undefined)
  assert.deepEqual(await all(at.store.list('')), [])
  assert.deepEqual(await all(at.store.folders('')), [])
})

test('what a killed writer began is finished by the next one, with the bytes and facts of the first', async () => {
  await using at = await openInterrupted()
  assert.deepEqual(await at.store.put(key, bodyOf('of the living'), { writer: 'living' }), { created: false })
  await using read = await at.store.get(key)
  assert.deepEqual(read.facts, { writer: 'dead' })
  assert.equal(String(await contentOf(read)), 'of the dead')
})

test('a stopped writer who goes on after another finished for him has created the object', async () => {
  await using at = await openInterrupted()
  await at.store.put(key, bodyOf('of the living'), { writer: 'living' })
  await unlink(join(at.folder, '@meta', `${key}.json`))
  assert.equal(await publish(at.layout, at.folders, key, at.draft), true)
  assert.deepEqual((await at.store.head(key))?.facts, { writer: 'dead' })
})

test('when the bytes of a killed writer are gone, the next one gets the key, and the facts are his', async () => {
  await using at = await openInterrupted()
  await at.draft[Symbol.asyncDispose]()
  assert.equal((await at.store.put(key, bodyOf('of the living'), { writer: 'living' })).created, true)
  assert.deepEqual(await at.store.put(key, bodyOf('late'), { writer: 'late' }), { created: false })
  await using read = await at.store.get(key)
  assert.deepEqual(read.facts, { writer: 'living' })
  assert.equal(String(await contentOf(read)), 'of the living')
  await at.store.delete(key)
  assert.deepEqual(await readdir(join(at.folder, '@meta/orders/0')), [], 'nothing of it stays')
})

test('many writers at a key whose first owner is dead: one wins, and the object is his with his facts', async () => {
  for (let race = 0; race < 20; race++) {
    await using at = await openInterrupted()
    if (race % 2 === 0) await at.draft[Symbol.asyncDispose]()
    const stores = Array.from({ length: 8 }, () => openDirectoryStore(at.folder))
    const puts = await Promise.all(stores.map((each, n) => each.put(key, bodyOf(`body ${n}`), { writer: String(n) })))
    const winners = puts.flatMap(({ created }, n) => (created ? [String(n)] : []))
    const winner = race % 2 === 0 ? winners[0] : 'dead'
    assert.equal(winners.length, race % 2 === 0 ? 1 : 0)
    await using read = await at.store.get(key)
    assert.deepEqual(read.facts, { writer: winner })
    assert.equal(String(await contentOf(read)), winner === 'dead' ? 'of the dead' : `body ${winner}`)
  }
})

test('facts that somebody damaged or forged block nobody and link nothing', async () => {
  for (const text of ['', 'null', '{"upload": 1, "facts": {}}', '{"upload":"../../../etc/hostname","facts":{}}']) {
    await using at = await openInterrupted()
    const facts = join(at.folder, '@meta', `${key}.json`)
    await unlink(facts)
    await writeFile(facts, text)
    assert.equal((await at.store.put(key, bodyOf('x'), { writer: 'living' })).created, true)
    assert.deepEqual((await at.store.head(key))?.facts, { writer: 'living' })
    assert.equal(String(await contentOf(await at.store.get(key))), 'x')
  }
})

test('an object that came by other means has no facts, and gets none from a put', async () => {
  await using at = await openInterrupted()
  await mkdir(join(at.folder, 'copied'))
  await writeFile(join(at.folder, 'copied/x'), 'by hand')
  assert.deepEqual((await at.store.head('copied/x'))?.facts, {})
  assert.deepEqual(await at.store.put('copied/x', bodyOf('y'), { a: 'b' }), { created: false })
  assert.deepEqual((await at.store.head('copied/x'))?.facts, {})
})

test('a put leaves no draft behind, and sweeps those that stood still for a day, only those', async () => {
  await using at = await openInterrupted()
  await at.draft[Symbol.asyncDispose]()
  const yesterday = Date.now() / 1000 - 25 * 60 * 60
  const drafts = join(at.folder, '@tmp')
  const [old, young, foreign] = ['a'.repeat(32), 'b'.repeat(32), 'notes.txt']
  for (const name of [old, young, foreign]) await writeFile(join(drafts, name), 'x')
  for (const name of [old, foreign]) await utimes(join(drafts, name), yesterday, yesterday)
  await at.store.put('a/b', bodyOf('x'), {})
  assert.deepEqual(await readdir(drafts), [young, foreign])
})

test('links, pipes and folders are not objects and harm nobody', async () => {
  await using at = await openInterrupted()
  const { folder, store } = at
  await writeFile(join(folder, 'secret'), 'x')
  await mkdir(join(folder, 'a'))
  await symlink(join(folder, 'secret'), join(folder, 'a/link'))
  await symlink(join(folder, 'nowhere'), join(folder, 'a/dangling'))
  await symlink(folder, join(folder, 'a/loop'))
  await mkdir(join(folder, 'lost+found'), { mode: 0o000 })
  await unlink(join(folder, 'secret'))
  await store.put('a/real', bodyOf('x'), {})
  assert.deepEqual(
    (await all(store.list(''))).map(object => object.key),
    ['a/real'],
  )
  const told: string[] = []
  const folders = (prefix: string) => all(store.folders(prefix, { onObject: name => void told.push(name) }))
  assert.deepEqual(
    [await folders(''), await folders('a/'), told],
    [['a'], [], ['a/dangling', 'a/link', 'a/loop', 'a/real']],
  )
  for (const name of ['a/link', 'a/dangling', 'a/loop', 'a']) {
    assert.equal(await store.head(name), undefined)
    await assert.rejects(store.get(name), { code: 'OBJECT_MISSING' })
    await assert.rejects(store.put(name, bodyOf('x'), {}), { code: 'STORAGE_REFUSED' })
  }
  // What is put behind a link would be in no listing.
  for (const name of ['a/real/below', 'a/loop/x', 'a/loop/a/x'])
    await assert.rejects(store.put(name, bodyOf('x'), {}), { code: 'STORAGE_REFUSED' }, name)
  assert.deepEqual((await readdir(join(folder, '@meta/a'))).sort(), ['real.json'])
})

test('folders that somebody removes come back with the next put', async () => {
  await using at = await openInterrupted()
  await at.store.put('a/1', bodyOf('x'), {})
  for (const name of ['a', '@meta', '@tmp']) await rm(join(at.folder, name), { recursive: true })
  await assert.rejects(at.store.put('a/2', bodyOf('x'), {}), { code: 'STORAGE_UNREACHABLE' })
  assert.equal((await at.store.put('a/2', bodyOf('x'), {})).created, true)
})

test('reading makes no folder', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'maxbrod-store-')), 'nothing')
  const store = openDirectoryStore(folder)
  assert.deepEqual(await all(store.list('')), [])
  assert.deepEqual(await all(store.folders('')), [])
  assert.equal(await store.head('a'), undefined)
  await store.delete('a')
  await assert.rejects(access(folder))
})

test('facts are a file for people, too', async () => {
  await using at = await openInterrupted()
  await at.store.put('a/b', bodyOf('x'), { records: '17' })
  const text = await readFile(join(at.folder, '@meta/a/b.json'), 'utf8')
  assert.match(text, /^\{\n {2}"upload": "[0-9a-f]{32}",\n {2}"facts": \{\n {4}"records": "17"\n {2}\}\n\}\n$/)
})
