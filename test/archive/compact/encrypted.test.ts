import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { openDirectoryStore } from '../../../src/storage/directory.ts'
import { newMemoryStore } from '../../../src/storage/memory.ts'
import type { ObjectStore } from '../../../src/storage/port.ts'
import { newAgeKey } from '../../helpers/age-keys.ts'
import type { AgeKey } from '../../helpers/age-keys.ts'
import { pruning } from '../../helpers/aged-archive.ts'
import { compacting, latestOf, updates } from '../../helpers/compacting.ts'
import { runCommand } from '../../helpers/in-process.ts'
import { contentOf } from '../../helpers/object-bodies.ts'
import type { DigestRecord } from '../../helpers/records.ts'
import { restorable } from '../../helpers/restorable.ts'
import { compactingFor, openedWith, putFor, rewrapping } from '../../helpers/rewrapping.ts'
import { Dice } from '../../helpers/seed.ts'
import { objectsIn } from '../../helpers/stored-backup.ts'
import { verifying } from '../../helpers/verifying.ts'

const place = { topic: 'users', partition: 0 }
const CANARY = Buffer.from('canary in a value')
const [old, present] = [newAgeKey(), newAgeKey()]
const toPresent = { with: [old, present], to: [present] }
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-compact-encrypted-'))
})

after(() => rm(folder, { recursive: true }))

/** A file of twenty updates for each list of keys, one behind the other. */
async function putFiles(store: ObjectStore, ...keys: readonly (readonly AgeKey[])[]): Promise<DigestRecord[]> {
  const all: DigestRecord[] = []
  for (const [n, one] of keys.entries()) {
    const records = updates(new Dice(`file ${n}`), 20, 9, n * 50)
      .filter(({ offset }) => offset < (n + 1) * 50)
      .map(record => (record.value === null ? record : { ...record, value: CANARY }))
    await putFor(store, one, place, [n * 50, (n + 1) * 50], records)
    all.push(...records)
  }
  return all
}

async function madeIn(store: ObjectStore): Promise<string[]> {
  return [...(await objectsIn(store)).keys()].filter(key => key.startsWith('@') && key.includes('.avro'))
}

/** What stands in the objects, as whoever reads the bucket sees it. */
async function assertNothingPlain(store: ObjectStore): Promise<void> {
  for (const key of await madeIn(store)) {
    assert.ok(key.endsWith('.avro.age'), key)
    assert.ok((await contentOf(await store.get(key))).toString('latin1').startsWith('age-encryption.org/v1\n'), key)
  }
}

test('encrypted files are compacted into encrypted ones, which the new key alone restores', async () => {
  const store = newMemoryStore()
  const all = await putFiles(store, [old], [], [old], [present])
  const { made, leftOut } = await compactingFor(store, toPresent, folder, '--topics=users')
  assert.deepEqual([made.length, leftOut], [1, []])
  await assertNothingPlain(store)
  assert.deepEqual(await restorable(openedWith(store, present), place, '--use-compacted'), latestOf(all))
  assert.deepEqual((await verifying(openedWith(store, old, present))).findings, [])
  const again = await compactingFor(store, toPresent, folder, '--topics=users')
  assert.deepEqual([again.made, again.upToDate], [[], 1])
  const other = newAgeKey()
  const changed = await compactingFor(store, { with: [present, old, other], to: [other] }, folder, '--topics=users')
  assert.equal(changed.made.length, 1, 'for others it is made again')
  assert.deepEqual(await restorable(openedWith(store, other), place, '--use-compacted'), latestOf(all))
  await assertNothingPlain(store)
})

test('small encrypted files are merged into encrypted ones, also where they were rewrapped, and then let go', async () => {
  const store = newMemoryStore()
  const all = await putFiles(store, [old], [old], [], [old], [old])
  await rewrapping(store, toPresent)
  const { made } = await compactingFor(store, toPresent, folder, '--merge')
  assert.deepEqual(
    made.map(({ sources, files }) => [sources.files, files?.files]),
    [[4, 1]],
  )
  await assertNothingPlain(store)
  await pruning(store, '--superseded', '--yes')
  const originals = [...(await objectsIn(store)).keys()].filter(key => key.startsWith('users/'))
  assert.equal(originals.length, 1)
  const opened = openedWith(store, present)
  assert.deepEqual(await restorable(opened, place), all)
  assert.deepEqual((await verifying(opened)).findings, [])
})

test('without keys nothing is made of encrypted files, and it is said what to give', async () => {
  const store = newMemoryStore()
  await putFiles(store, [], [old], [])
  for (const flag of ['--topics=users', '--merge']) {
    const { made, leftOut } = await compacting(store, folder, flag)
    assert.deepEqual(made, [])
    assert.match(leftOut[0]?.reason ?? '', /encrypted: give --identity and --encrypt-to/)
  }
  assert.deepEqual(await madeIn(store), [])
})

test('the command takes keys of both kinds or none, and one that opens what it writes', async () => {
  const path = join(folder, 'archive')
  const all = await putFiles(openDirectoryStore(path), [old], [old], [])
  const [oldFile, newFile] = [join(folder, 'old.key'), join(folder, 'new.key')]
  await writeFile(oldFile, old.identityText)
  await writeFile(newFile, present.identityText)
  const run = (command: string, ...flags: string[]) =>
    runCommand([command, `--storage=${String(pathToFileURL(path))}`, ...flags])
  const work = `--working-dir=${folder}/work`
  for (const command of ['compact', 'rewrap']) {
    const own = command === 'compact' ? [work, '--topics=users'] : []
    const to = `--encrypt-to=${present.recipientText}`
    for (const flags of [[`--identity=${oldFile}`], [to], [`--identity=${oldFile}`, to]]) {
      const { exit, stderr } = await run(command, ...own, ...flags)
      assert.equal(exit, 2, `${command} ${flags.join(' ')}: ${stderr}`)
      assert.ok(!stderr.includes(old.identityText))
    }
    assert.deepEqual(await madeIn(openDirectoryStore(path)), [], command)
  }
  const keys = [`--identity=${oldFile}`, `--identity=${newFile}`, `--encrypt-to=${present.recipientText}`]
  for (const [command, ...flags] of [
    ['compact', work, '--topics=users'],
    ['compact', work, '--merge'],
    ['rewrap', '--topics=users'],
  ] as const) {
    const { exit, stdout, stderr } = await run(command, ...flags, ...keys)
    assert.equal(exit, 0, stderr)
    assert.ok(!`${stdout}${stderr}`.includes(old.identityText))
  }
  const opened = openedWith(openDirectoryStore(path), present)
  assert.deepEqual(await restorable(opened, place, '--use-compacted'), latestOf(all))
  assert.deepEqual(await restorable(opened, place), all)
})
