import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { coverArchive } from '../../src/archive/coverage.ts'
import { coverageOptions } from '../../src/archive/coverage-options.ts'
import { listTopics } from '../../src/archive/list.ts'
import { surveyArchive } from '../../src/archive/survey.ts'
import { writePrune } from '../../src/catalog/prunes.ts'
import type { PrunedRange } from '../../src/format/prune-record.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { optionsOf } from '../helpers/options.ts'
import { storeOf, wholeFile } from '../helpers/sound-archive.ts'
import { archiveDeps, verifying } from '../helpers/verifying.ts'

const place = { topic: 'a', topicId: undefined, partition: 0, lineage: undefined }
const never = new AbortController().signal
const upTo = (to: number, of = place): PrunedRange => ({ place: of, from: 0, to, files: 1, records: 1, bytes: 1 })

/** An archive of five files of 20 offsets each, some of which are gone, and what prunes say of it. */
async function pruned(gone: readonly number[], ...to: number[]) {
  const files = await Promise.all([0, 20, 40, 60, 80].map(from => wholeFile(place, from, from + 20)))
  const store = await storeOf(files.filter((_, n) => !gone.includes(n)))
  for (const [n, one] of to.entries())
    await writePrune(store, { writer: 'test', partitions: [upTo(one)], objects: [] }, n + 1)
  return { store, files }
}

async function looks(gone: readonly number[], ...to: number[]) {
  const { store } = await pruned(gone, ...to)
  const { partitions, status } = await coverArchive(archiveDeps(store), optionsOf(coverageOptions), never)
  const { findings, leftovers } = await verifying(store)
  const [listed] = listTopics(await surveyArchive(archiveDeps(store), optionsOf(coverageOptions), never))
  return {
    status,
    segments: partitions[0]?.segments.map(({ kind, from, to: end }) => `${kind} ${from} ${end}`),
    findings: findings.map(({ kind, from, to: end }) => `${kind} ${from} ${end}`),
    leftovers,
    files: listed?.files,
  }
}

test('an archive whose oldest files were pruned begins later: verify, coverage and ls find nothing missing', async () => {
  const sound = { status: 'OK', segments: ['FOUND 40 100'], findings: [], leftovers: 0, files: 3 }
  assert.deepEqual(await looks([0, 1], 40), sound)
  assert.deepEqual(await looks([0, 1], 20, 40), sound)
})

test('files that a prune had not removed yet when it was killed do not count, wherever they lie', async () => {
  const begun = { status: 'OK', segments: ['FOUND 60 100'], findings: [] }
  assert.deepEqual(await looks([0, 1, 2], 60), { ...begun, leftovers: 0, files: 2 })
  assert.deepEqual(await looks([1], 60), { ...begun, leftovers: 2, files: 2 })
  assert.deepEqual(await looks([], 60), { ...begun, leftovers: 3, files: 2 })
})

test('what no prune explains is found as before: a hole in the middle, and a head that is gone', async () => {
  assert.deepEqual(await looks([0, 3], 20), {
    status: 'FAILURE',
    segments: ['FOUND 20 60', 'LOST 60 80', 'FOUND 80 100'],
    findings: ['hole 60 80'],
    leftovers: 0,
    files: 3,
  })
  const head = await looks([0, 1], 20)
  assert.deepEqual([head.status, head.findings], ['WARNING', ['head 20 40']])
  assert.deepEqual((await looks([0])).findings, ['head 0 20'])
})

test('a record of a prune that is damaged explains nothing, and is a finding itself', async () => {
  const { store } = await pruned([0], 20)
  const key = '@prunes/1970-01-01T00-00-00.001Z.json'
  await store.delete(key)
  await store.put(key, bodyOf('{"format": 1}'), {})
  const { findings } = await verifying(store)
  assert.deepEqual(
    findings.map(({ kind, key: about, from }) => [kind, about, from]),
    [
      ['damaged', key, undefined],
      ['head', undefined, 0],
    ],
  )
  const { status, unreadable } = await coverArchive(archiveDeps(store), optionsOf(coverageOptions), never)
  assert.deepEqual([status, unreadable.map(one => one.key)], ['WARNING', [key]])
})

test('a file that verify knows and a prune removed is forgotten, and one that somebody removed is not', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-pruned-'))
  t.after(() => rm(folder, { recursive: true }))
  const state = join(folder, 'state.jsonl')
  const { store, files } = await pruned([])
  assert.deepEqual((await verifying(store, `--state=${state}`)).findings, [])
  await writePrune(store, { writer: 'test', partitions: [upTo(40)], objects: ['@points/x'] }, 1)
  await store.deleteAll([0, 1, 4].map(n => files[n]!.key))
  for (let run = 0; run < 2; run++) {
    const { findings } = await verifying(store, `--state=${state}`)
    assert.deepEqual(
      findings.map(({ kind, key }) => [kind, key]),
      [['gone', files[4]!.key]],
    )
  }
  const lines = (await readFile(state, 'utf8')).split('\n')
  assert.equal(lines.filter(line => line.includes(files[0]!.key)).length, 0, 'forgotten, and written anew without it')
})
