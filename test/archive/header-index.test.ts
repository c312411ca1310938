import assert from 'node:assert/strict'
import { constants } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { HeaderIndex } from '../../src/archive/header-index.ts'
import { surveyArchive } from '../../src/archive/survey.ts'
import type { Survey } from '../../src/archive/survey.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { dataKeepFile, dataKeepKey, dataKeepRecord } from '../helpers/data-keep-files.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { Dice } from '../helpers/seed.ts'
import { soundFiles, storeOf, wholeFile } from '../helpers/sound-archive.ts'
import type { StoredObject } from '../helpers/sound-archive.ts'
import { archiveDeps } from '../helpers/verifying.ts'

const place = { topic: 'b', topicId: undefined, partition: 0, lineage: undefined }
let folder: string
let files: StoredObject[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-index-'))
  files = [
    ...(await soundFiles(['a'], 3)),
    await wholeFile(place, 0, 20, { gaps: [{ from: 18, to: 19, reason: 'retention' }] }),
  ]
})
after(() => rm(folder, { recursive: true, force: true }))

interface Looked {
  readonly survey: Survey
  /** Keys of the files that were opened. */
  readonly read: readonly string[]
  readonly said: readonly string[]
}

/** What a look at a backup shows, and what it cost. */
async function look(store: ObjectStore, path: string, topics = /.*/): Promise<Looked> {
  const read: string[] = []
  const said: string[] = []
  const watched: ObjectStore = { ...store, get: (key, options) => (read.push(key), store.get(key, options)) }
  const log = { warn: (_: object, message: string) => void said.push(message) } as Logger
  const deps = { ...archiveDeps(watched), headers: await HeaderIndex.open(nodeDisk, log, path, store.url) }
  const survey = await surveyArchive(deps, { topics: [topics], excludeTopics: [] }, new AbortController().signal)
  return { survey, read, said }
}

test('the second look reads no header again and shows the same, files of kafka-data-keep among them', async t => {
  const path = join(folder, 'second')
  const store = await storeOf(files)
  const dice = new Dice(t.fullName)
  const keep = { topic: 'keep', partition: 0 }
  const bytes = dataKeepFile([dataKeepRecord(7, dice)], keep, dice)
  await store.put(dataKeepKey(keep, 7n), bodyOf(bytes), {})
  const first = await look(store, path)
  assert.equal(first.read.length, 8)
  const second = await look(store, path)
  assert.deepEqual(second, { ...first, read: [] })
})

test('what is new, replaced or gone since is seen: the listing decides', async () => {
  const path = join(folder, 'listing')
  const store = await storeOf(files)
  await look(store, path)
  const [one, other] = files
  await store.delete(one!.key)
  await store.delete(other!.key)
  const replaced = await wholeFile({ ...place, topic: 'a' }, 20, 40, { writer: 'somebody else' })
  await store.put(other!.key, bodyOf(replaced.bytes), replaced.facts)
  const fresh = await wholeFile(place, 20, 40)
  await store.put(fresh.key, bodyOf(fresh.bytes), fresh.facts)
  const { survey, read } = await look(store, path)
  assert.deepEqual(read.toSorted(), [other!.key, fresh.key].toSorted())
  assert.deepEqual(survey, (await look(store, join(folder, 'unused'))).survey)
  assert.ok(!(await readFile(path, 'utf8')).includes(one!.key), 'a file that is gone is forgotten')
})

test('a look at some topics keeps what is known of the others', async () => {
  const path = join(folder, 'some')
  const store = await storeOf(files)
  await look(store, path)
  const fresh = await wholeFile(place, 20, 40)
  await store.put(fresh.key, bodyOf(fresh.bytes), fresh.facts)
  assert.deepEqual((await look(store, path, /^b$/)).read, [fresh.key])
  assert.deepEqual((await look(store, path)).read, [])
})

test('an index with any byte changed, cut anywhere, or about another backup is thrown away with a word, and made again', async t => {
  const path = join(folder, 'damaged')
  const store = await storeOf(files)
  const { survey } = await look(store, path)
  const sound = await readFile(path)
  const dice = new Dice(t.fullName)
  const damaged = [
    ...Array.from({ length: 60 }, () => {
      const bytes = Buffer.from(sound)
      bytes[dice.between(21, bytes.length - 1)]! ^= 1 << dice.between(0, 7)
      return bytes
    }),
    ...Array.from({ length: 20 }, () => sound.subarray(0, dice.between(22, sound.length - 1))),
    Buffer.concat([sound, sound]),
  ]
  for (const bytes of damaged) {
    await writeFile(path, bytes)
    const found = await look(store, path)
    assert.equal(found.read.length, files.length)
    assert.match(found.said.join(), /^the index of headers is thrown away: /)
    assert.deepEqual(found.survey, survey)
    assert.deepEqual(await readFile(path), sound)
  }
  const other = { ...(await storeOf(files, newMemoryStore())), url: 'memory://another' }
  const found = await look(other, path)
  assert.match(found.said.join(), /is about another backup than memory:\/\/another/)
  assert.equal(found.read.length, files.length)
})

test('a file that is something else is left alone, and all headers are read', async () => {
  const path = join(folder, 'letter')
  await writeFile(path, 'dear diary')
  const { read, said } = await look(await storeOf(files), path)
  assert.equal(read.length, files.length)
  assert.match(said.join(), /is no index of headers: it is left alone/)
  assert.equal(await readFile(path, 'utf8'), 'dear diary')
})

test('a header that the index says is checked against the name of its file', async () => {
  const path = join(folder, 'swapped')
  const store = await storeOf(files)
  const { survey } = await look(store, path)
  const headers = await HeaderIndex.open(nodeDisk, {} as Logger, path, store.url)
  const [one, other] = survey.topics[0]!.chains[0]!.files
  headers!.add(one!, other!.header!)
  assert.equal(headers!.find(one!), undefined)
  assert.deepEqual(headers!.find(other!), other!.header)
})

test('an index of a million files, which is longer than a text can be, is read', async () => {
  const path = join(folder, 'large')
  const store = await storeOf(files)
  const { survey } = await look(store, path)
  const small = await readFile(path)
  const body = small.subarray(0, small.lastIndexOf('sha256 '))
  // Zeros that nobody writes take no memory.
  const large = Buffer.alloc(constants.MAX_STRING_LENGTH + 2_000)
  const lineAt = large.length - 1_000
  body.copy(large)
  large.write('other\t', body.length)
  large.write('\n', lineAt)
  const content = large.subarray(0, lineAt + 1)
  large.write(`sha256 ${createHash('sha256').update(content).digest('hex')}\n`, content.length)
  const whole = large.subarray(0, content.length + 'sha256 '.length + 64 + 1)
  const disk = { ...nodeDisk, read: () => Promise.resolve(whole) }
  const headers = await HeaderIndex.open(disk, {} as Logger, path, store.url)
  for (const file of survey.topics.flatMap(({ chains }) => chains.flatMap(chain => chain.files)))
    assert.deepEqual(headers!.find(file), file.header)
})
