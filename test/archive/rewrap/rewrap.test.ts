import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { coverArchive } from '../../../src/archive/coverage.ts'
import { coverageOptions } from '../../../src/archive/coverage-options.ts'
import { describeTopic } from '../../../src/archive/describe.ts'
import { listTopics } from '../../../src/archive/list.ts'
import { describeOptions } from '../../../src/archive/options.ts'
import { surveyArchive } from '../../../src/archive/survey.ts'
import { besideGenerations, surveyGenerations } from '../../../src/archive/survey-generations.ts'
import { listGenerations } from '../../../src/catalog/generations.ts'
import { parseAgeHeader } from '../../../src/storage/age/age-header.ts'
import { newMemoryStore } from '../../../src/storage/memory.ts'
import type { ErasableStore, ObjectStore } from '../../../src/storage/port.ts'
import { newAgeKey } from '../../helpers/age-keys.ts'
import { compacting, updates } from '../../helpers/compacting.ts'
import { bodyOf, contentOf } from '../../helpers/object-bodies.ts'
import { optionsOf } from '../../helpers/options.ts'
import type { DigestRecord } from '../../helpers/records.ts'
import { restorable } from '../../helpers/restorable.ts'
import { openedWith, putFor, rewrapping } from '../../helpers/rewrapping.ts'
import { Dice } from '../../helpers/seed.ts'
import { findStockAge, withoutAge } from '../../helpers/stock-age.ts'
import { assertUntouched, objectsIn } from '../../helpers/stored-backup.ts'
import { archiveDeps, verifying } from '../../helpers/verifying.ts'

const place = { topic: 'users', partition: 0 }
const [old, present, other] = [newAgeKey(), newAgeKey(), newAgeKey()]
const signal = new AbortController().signal
const stock = findStockAge()

type Key = typeof old

/** Files of 40 updates for each list of keys, one behind the other. */
async function putFiles(store: ObjectStore, ...keys: readonly (readonly Key[])[]) {
  const dice = new Dice('rewrap')
  const all: DigestRecord[] = []
  const names: string[] = []
  let from = 0
  for (const one of keys) {
    const records = updates(dice, 40, 15, from)
    const to = Number(records.at(-1)!.offset) + 2
    names.push(await putFor(store, one, place, [from, to], records))
    all.push(...records)
    from = to
  }
  return { all, names, end: from }
}

async function bytesAt(store: ObjectStore, key: string): Promise<Buffer> {
  return contentOf(await store.get(key))
}

async function rewrappedIn(store: ObjectStore): Promise<string[]> {
  const generations = await listGenerations(store, { onForeign: assert.fail }, ['rewrapped'])
  return generations.flatMap(({ files }) => files.map(({ key }) => key))
}

/** All that somebody with these keys can know of the archive. */
async function look(raw: ObjectStore, ...keys: readonly Key[]) {
  const store = openedWith(raw, ...keys)
  const deps = archiveDeps(store)
  const selection = { topics: [/^/], excludeTopics: [] }
  const survey = besideGenerations(
    await surveyArchive(deps, selection, signal),
    await surveyGenerations(deps, selection, assert.fail, signal),
  )
  const described = await describeTopic(deps, optionsOf(describeOptions, 'users/0'), signal)
  const { findings, verified, files } = await verifying(store)
  return {
    records: await restorable(store, place),
    coverage: (await coverArchive(deps, optionsOf(coverageOptions), signal)).status,
    listed: listTopics(survey)[0]?.records,
    described: described.incarnations[0]?.chains[0]?.list?.map(({ from, problem }) => [from, problem]),
    findings: findings.map(({ says }) => says),
    unread: files - verified,
  }
}

test('with the new key alone a rewrapped archive is whole: while the originals are there, and when they are gone', async () => {
  const store = newMemoryStore()
  const { all, names } = await putFiles(store, [old], [old, other], [], [old])
  const before = await objectsIn(store)
  const { made, leftOut } = await rewrapping(store, { with: [old, present], to: [present] })
  assert.deepEqual(leftOut, [])
  assert.deepEqual(
    made.map(({ sources, files }) => [sources.files, files?.files, files?.records]),
    [[4, 4, all.length]],
  )
  await assertUntouched(store, before)
  const whole = {
    records: all,
    coverage: 'OK',
    listed: all.length,
    described: names.map(name => [Number(/-(\d{19})/.exec(name)![1]), undefined]),
    findings: [],
    unread: 0,
  }
  assert.deepEqual(await look(store, present), whole)
  assert.deepEqual(await look(store, old, present), whole)
  for (const name of names.slice(0, -1)) {
    await store.delete(name)
    assert.deepEqual(await look(store, present), whole, `without ${name}`)
  }
})

test('of an encrypted file all but the header stays byte for byte; the header is for the new recipients alone', async () => {
  const store = newMemoryStore()
  const { names } = await putFiles(store, [old, other])
  await rewrapping(store, { with: [old, present], to: [present, other] })
  const [before, after] = [await bytesAt(store, names[0]!), await bytesAt(store, (await rewrappedIn(store))[0]!)]
  const [oldHeader, newHeader] = [parseAgeHeader(before)!, parseAgeHeader(after)!]
  assert.ok(after.subarray(newHeader.bytes).equals(before.subarray(oldHeader.bytes)))
  const key = (await rewrappedIn(store))[0]!
  const avro = await bytesAt(openedWith(store, old), names[0]!)
  for (const one of [present, other]) assert.ok((await bytesAt(openedWith(store, one), key)).equals(avro))
  await assert.rejects(bytesAt(openedWith(store, old), key), { code: 'NO_IDENTITY' })
})

test('a large file is read again for the upload, and becomes the same', async () => {
  const store = newMemoryStore()
  const records = Array.from({ length: 18 }, (_, n): DigestRecord => ({
    offset: BigInt(n),
    timestamp: 5n,
    key: null,
    value: randomBytes(1_000_000),
    headers: [],
  }))
  const sealed = await putFor(store, [old], place, [0, 20], records)
  const plain = await putFor(store, [], { ...place, partition: 1 }, [0, 20], records)
  assert.ok((await store.head(plain))!.bytes > 16 * 1024 * 1024)
  const { made } = await rewrapping(store, { with: [old, present], to: [present] })
  assert.equal(made.length, 2)
  const keys = await rewrappedIn(store)
  const avro = await bytesAt(openedWith(store, old), sealed)
  for (const one of keys) assert.ok((await bytesAt(openedWith(store, present), one)).length > 16 * 1024 * 1024)
  assert.ok(
    (
      await bytesAt(
        openedWith(store, present),
        keys.find(key => key.includes('/0/'))!,
      )
    ).equals(avro),
  )
})

test(
  'stock age opens a rewrapped file byte for byte with the new key, and not with the old one',
  {
    skip: stock === undefined && withoutAge,
  },
  async t => {
    const folder = await mkdtemp(join(tmpdir(), 'rewrap-'))
    t.after(() => rm(folder, { recursive: true }))
    const store = newMemoryStore()
    const { names } = await putFiles(store, [old], [])
    await rewrapping(store, { with: [old, present], to: [present] })
    const pathOf = async (name: string, { identityText }: Key) => {
      await writeFile(join(folder, name), identityText)
      return join(folder, name)
    }
    const [oldPath, newPath] = [await pathOf('old', old), await pathOf('new', present)]
    for (const [n, key] of (await rewrappedIn(store)).entries()) {
      const content = await bytesAt(store, key)
      const opened = stock!.age(['-d', '-i', newPath], content)
      assert.ok(opened.equals(await bytesAt(openedWith(store, old), names[n]!)), key)
      assert.throws(() => stock!.age(['-d', '-i', oldPath], content), /no identity matched/)
    }
  },
)

test('what is for the recipients already is left as it is: a second run makes nothing, and later files alone are new', async () => {
  const store = newMemoryStore()
  const keys = { with: [old, present], to: [present] }
  const { end } = await putFiles(store, [old], [present], [old, present], [old])
  const first = await rewrapping(store, keys)
  assert.deepEqual(
    first.made.map(({ sources }) => sources.files),
    [1, 2],
    'the second is for the new key alone',
  )
  const again = await rewrapping(store, keys)
  assert.deepEqual([again.made, again.upToDate], [[], 1])
  const later = updates(new Dice('later'), 20, 5, end)
  await putFor(store, [old], place, [end, end + 50], later)
  const third = await rewrapping(store, keys)
  assert.deepEqual(
    third.made.map(({ from, to, sources }) => [from, to, sources.files]),
    [[end, end + 50, 1]],
  )
  const dry = await rewrapping(store, { with: [present, other], to: [other] }, '--dry-run')
  assert.deepEqual(
    dry.made.map(({ sources }) => sources.files),
    [5],
    'for a third key all of them',
  )
  const { made } = await rewrapping(store, { with: [present, other], to: [other] })
  assert.equal(made[0]?.files?.files, 5)
  assert.deepEqual((await look(store, other)).findings, [])
})

test('a file for as many others, one of whom stays, is not for the recipients: the new key must open it', async () => {
  const store = newMemoryStore()
  const escrow = other
  const { all } = await putFiles(store, [old, escrow])
  assert.equal((await rewrapping(store, { with: [escrow, present], to: [present, escrow] })).made.length, 1)
  assert.deepEqual(await restorable(openedWith(store, present), place), all)
  const again = await rewrapping(store, { with: [escrow, present], to: [present, escrow] })
  assert.deepEqual([again.made, again.upToDate], [[], 1])
})

test('files of a merged generation take the place of the small ones that they were made of', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'rewrap-merged-'))
  t.after(() => rm(folder, { recursive: true }))
  const store = newMemoryStore()
  const { all } = await putFiles(store, [], [], [], [])
  await compacting(store, folder, '--merge')
  const { made } = await rewrapping(store, { with: [present], to: [present] })
  assert.deepEqual(
    made.map(({ sources }) => sources.files),
    [2],
  )
  for (const key of (await objectsIn(store)).keys())
    if (!key.startsWith('@rewrapped/') && !key.includes('users-0-0000000000000000')) await store.delete(key)
  assert.deepEqual(await restorable(openedWith(store, present), place), all)
})

/** Nothing may be there that anybody would trust. */
async function assertNothingFinished(store: ObjectStore): Promise<void> {
  const generations = await listGenerations(store, { onForeign: assert.fail })
  assert.deepEqual(
    generations.filter(({ seal }) => seal !== undefined),
    [],
  )
}

test('without a key that opens them the files of a partition are left out, and nothing is written', async () => {
  const store = newMemoryStore()
  await putFiles(store, [old], [other])
  const before = await objectsIn(store)
  const { made, leftOut } = await rewrapping(store, { with: [old, present], to: [present] })
  assert.deepEqual(made, [])
  assert.match(leftOut[0]?.reason ?? '', /is encrypted, and no --identity opens it/)
  assert.deepEqual(await objectsIn(store), before)
})

test('a file that is damaged, or replaced while it is read, leaves its partition out with the reason', async () => {
  for (const what of ['damaged', 'replaced'] as const) {
    const store = newMemoryStore()
    const { names } = await putFiles(store, [old], [old])
    const bytes = await bytesAt(store, names[1]!)
    bytes[bytes.length - 40]! ^= 1
    const replace = async (on: ErasableStore) => {
      const { facts } = (await on.head(names[1]!))!
      await on.delete(names[1]!)
      await on.put(names[1]!, bodyOf(bytes), facts)
    }
    if (what === 'damaged') await replace(store)
    let heads = 0
    const changing: ObjectStore = {
      ...store,
      async get(key, options) {
        // The header was read for the survey, and once for whom it is.
        if (what === 'replaced' && key === names[1] && ++heads === 3) await replace(store)
        return store.get(key, options)
      },
    }
    const { made, leftOut } = await rewrapping(changing, { with: [old, present], to: [present] })
    assert.deepEqual(made, [])
    const reason = what === 'damaged' ? /altered or cut/ : /was replaced a moment ago/
    assert.match(leftOut[0]?.reason ?? '', reason)
    assert.equal(leftOut[0]?.isProblem, true)
    await assertNothingFinished(store)
  }
})

test('of two at once each makes its own, or stops; what is there afterwards is whole', async () => {
  const store = newMemoryStore()
  const { all } = await putFiles(store, [old], [old], [old])
  const keys = { with: [old, present], to: [present] }
  await Promise.all([rewrapping(store, keys), rewrapping(store, keys)])
  const found = await look(store, present)
  assert.deepEqual([found.records, found.findings], [all, []])
  assert.equal((await rewrapping(store, keys)).made.length, 0)
})

test('a file of a generation at the name of another one is no stand-in', async () => {
  const store = newMemoryStore()
  const { names } = await putFiles(store, [old], [old])
  await rewrapping(store, { with: [old, present], to: [present] })
  const [first, second] = await rewrappedIn(store)
  const { facts } = (await store.head(first!))!
  const bytes = await bytesAt(store, second!)
  await store.delete(first!)
  await store.put(first!, bodyOf(bytes), facts)
  const { findings } = await verifying(openedWith(store, present, old))
  assert.ok(
    findings.some(({ says }) => says.includes(first!) || says.includes('generation.json')),
    findings.map(({ says }) => says).join('; '),
  )
  assert.deepEqual((await look(store, old)).findings.length > 0, true)
  await assert.rejects(restorable(openedWith(store, present), place))
  assert.equal(names.length, 2)
})
