import assert from 'node:assert/strict'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { writeDefinitions } from '../../src/catalog/topic-definitions.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { beginnings, firstId, placeOf, putAged, putPoint } from '../helpers/aged-archive.ts'
import { runCli } from '../helpers/cli.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import { storeOf } from '../helpers/sound-archive.ts'

let folder: string
let original: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-prune-'))
  original = join(folder, 'original')
  const store = await storeOf([], openDirectoryStore(original))
  await putAged(store, placeOf('orders'), [50, 40, 20, 1])
  await putAged(store, placeOf('orders', 1), [50, 40, 35, 1])
  await putPoint(store, 33, [['orders', 0, 0, 5]])
  for (const days of [2, 0.3, 0.2, 0.1])
    await putPoint(store, days, [
      ['orders', 0, 25, 40],
      ['orders', 1, 30, 40],
    ])
})

after(() => rm(folder, { recursive: true }))

/** A copy of the archive that a test may change, for --storage. */
async function copy(name: string): Promise<{ readonly path: string; readonly storage: string }> {
  const path = join(folder, name)
  await cp(original, path, { recursive: true })
  return { path, storage: `--storage=${String(pathToFileURL(path))}` }
}

const left = { 'orders/0': [20, 30], 'orders/1': [30] }

async function assertSound(storage: string): Promise<void> {
  const { exit, stdout } = await runCommand(['verify', storage])
  assert.equal(exit, 0, stdout)
  const coverage = await runCommand(['coverage', storage])
  assert.deepEqual([coverage.exit, coverage.json['status']], [0, 'OK'], coverage.stdout)
}

test('prune shows what would go, in a table by topic, and changes nothing', async () => {
  const { storage, path } = await copy('dry')
  const { exit, stdout } = await runCli(['prune', '--keep', '30d', storage])
  assert.equal(exit, 0)
  assert.match(stdout, /^topic +files +records +size +stay +size +because$/m)
  assert.match(stdout, /^orders +5 +40 +[\d.]+ KiB +3 +[\d.]+ KiB +newer than 30d00h; the newest of its partition/m)
  assert.match(stdout, /^5 files of .* would go, 1 restoration points, 0 group snapshots/m)
  assert.match(stdout, /^nothing was changed: --yes does it$/m)
  assert.deepEqual(Object.values(await beginnings(openDirectoryStore(path))).flat().length, 8)
})

test('topics are named of which nobody knows whether they are compacted, when a rule would take of them', async () => {
  const { storage, path } = await copy('unknown')
  const warnings = async (...argv: string[]) => {
    const lines = (await runCommand(['prune', ...argv, storage])).stderr
      .split('\n')
      .filter(line => line.includes('keys'))
    return lines.map(line => (JSON.parse(line) as { topics: string[]; message: string }).topics)
  }
  assert.deepEqual(await warnings('--keep=30d'), [['orders']])
  assert.deepEqual(await warnings('--keep=as-source'), [])
  const definition = { topic: 'orders', topic_id: firstId, partitions: 2, replication_factor: 1, configs: {}, acls: [] }
  const store = openDirectoryStore(path)
  const nowMs = Date.now()
  const found: unknown[] = []
  for (const [n, said] of [
    {},
    { clusterPolicy: 'delete' },
    { clusterPolicy: 'compact' },
    { clusterPolicy: 'compact', configs: { 'cleanup.policy': 'delete' } },
    { clusterPolicy: 'delete', areConfigsUnseen: true as const },
  ].entries()) {
    await writeDefinitions(store, [{ ...definition, ...said }], nowMs + n)
    assert.deepEqual(await warnings('--keep=30d'), [])
    const { json } = await runCommand(['prune', '--keep=30d', storage])
    found.push([(json['topics'] as { files: number }[]).map(({ files }) => files > 0), json['unseenConfigs']])
  }
  assert.deepEqual(found, [
    [[false], ['orders']],
    [[true], []],
    [[false], []],
    [[true], []],
    [[false], ['orders']],
  ])
})

test('prune --yes deletes it, writes down what, and leaves a sound backup', async () => {
  const { storage, path } = await copy('yes')
  const { exit, json } = await runCommand(['prune', '--keep=30d', '--yes', storage])
  assert.equal(exit, 0)
  const { isDryRun, deleted, record, points, refused } = json
  assert.deepEqual([isDryRun, deleted, points, refused], [false, 6, 1, []])
  assert.match(String(record), /^@prunes\/\d{4}-.*Z\.json$/)
  const [topic] = json['topics'] as { partitions: object[] }[]
  assert.deepEqual(
    topic?.partitions.map(one => ({ ...one, bytes: undefined })),
    [
      { partition: 0, from: 0, to: 20, files: 2, records: 16, bytes: undefined },
      { partition: 1, from: 0, to: 30, files: 3, records: 24, bytes: undefined },
    ],
  )
  assert.deepEqual(await beginnings(openDirectoryStore(path)), left)
  await assertSound(storage)
  const { json: listed } = await runCommand(['ls', storage])
  assert.deepEqual(
    (listed['topics'] as { files: number }[]).map(({ files }) => files),
    [3],
  )
  const { json: described } = await runCommand(['describe', storage, 'orders/1'])
  const [incarnation] = described['incarnations'] as { chains: { from: number }[] }[]
  assert.equal(incarnation?.chains[0]?.from, 30)
})

for (const fault of [
  'store.put~@prunes/:before:1:kill',
  'store.put~@prunes/:after:1:kill',
  'store.deleteAll:before:1:kill',
  'store.deleteAll:after:1:kill',
]) {
  test(`a prune that is killed at ${fault} leaves a sound backup, and the next one finishes it`, async () => {
    const { storage, path } = await copy(fault.replaceAll(/[^a-z]/gi, '-'))
    const argv = ['prune', '--keep', '30d', '--yes', storage]
    const killed = new FaultyCli(argv, [fault])
    assert.equal((await killed.result).exit, 'SIGKILL')
    killed.assertAllFired()
    await assertSound(storage)
    const again = await runCommand(argv)
    assert.equal(again.exit, 0, again.stderr)
    assert.deepEqual(await beginnings(openDirectoryStore(path)), left)
    await assertSound(storage)
  })
}

test('rules from a file count instead of the flags', async () => {
  const { storage, path } = await copy('rules')
  const rules = join(folder, 'rules.conf')
  await writeFile(rules, '[nothing]\nkeep = 1d\n[ord.*]\nkeep = 45d\n')
  assert.equal((await runCommand(['prune', `--keep-rules=${rules}`, '--keep=1d', '--yes', storage])).exit, 0)
  assert.deepEqual(await beginnings(openDirectoryStore(path)), { 'orders/0': [10, 20, 30], 'orders/1': [10, 20, 30] })
})

test('without a rule, with one that cannot be read, or without a backup, nothing is done and it is said what to do', async () => {
  const { storage } = await copy('refused')
  const none = await runCommand(['prune', '--yes', storage])
  assert.equal(none.exit, 2)
  assert.match(none.stderr, /nothing says what to keep · for instance --keep 30d/)
  assert.equal((await runCommand(['prune', '--keep=0', '--yes', storage])).exit, 2)
  const other = await runCommand(['prune', '--keep=1d', '--topics=payments', '--yes', storage])
  assert.equal(other.exit, 10)
  assert.match(other.stderr, /--topics matches none of the 1 topics .* the backup holds orders/)
  const rules = await runCommand(['prune', '--keep=1d', '--print-lifecycle', storage])
  assert.equal(rules.exit, 2)
  assert.match(rules.stderr, /a folder has no lifecycle rules · run maxbrod prune --yes from a timer/)
})
