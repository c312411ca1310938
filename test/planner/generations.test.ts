import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeSeal } from '../../src/catalog/generations.ts'
import { generationName, sealKey, tileKey } from '../../src/format/keys.ts'
import type { PlannerDeps } from '../../src/planner/deps.ts'
import { Generations } from '../../src/planner/generations.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { topicId } from '../helpers/planned.ts'
import { bodyOf } from '../helpers/object-bodies.ts'

const { signal } = new AbortController()
const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
const generation = generationName('compacted', 1_000)
const head = { from: 0, to: 40 }

/** An archive with the seal of a compaction, or something else in its place. */
async function openScene(damage?: Buffer) {
  const store = newMemoryStore()
  const own = { ...place, generation }
  if (damage === undefined) {
    const key = tileKey(own, 0)
    const content = Buffer.from('a file')
    await store.put(key, bodyOf(content), {})
    const one = { from: 0, to: 100, records: 1, bytes: content.length, sha256: bodyOf(content).sha256 }
    await writeSeal(store, own, {
      ...place,
      topicId,
      generation,
      clusterId: 'c',
      origin: 0,
      covers: { from: 0, to: 100 },
      files: [{ ...one, key }],
      sources: [{ ...one, key: tileKey(place, 0) }],
      timestampMax: 1n,
      droppedTombstones: undefined,
    })
  } else await store.put(sealKey(own), bodyOf(damage), {})
  const list = (from: ObjectStore) =>
    Generations.list({ store: from } as unknown as PlannerDeps, () => undefined, signal) // nothing else is asked for
  return { store, list }
}

test('what compaction has of missing offsets is found; a damaged seal is told, once', async () => {
  const whole = await openScene()
  const sound = await whole.list(whole.store)
  assert.equal(await sound.compactedOver(place, head), generation)
  assert.equal(await sound.compactedOver(place, { from: 40, to: 101 }), undefined)
  assert.deepEqual(sound.warnings, [])
  const { store, list } = await openScene(Buffer.from('no seal'))
  const damaged = await list(store)
  for (const _ of [1, 2]) assert.equal(await damaged.compactedOver(place, head), undefined)
  assert.equal(damaged.warnings.length, 1)
  assert.match(damaged.warnings[0] ?? '', /^@compacted\/.* was left out: /)
})

test('a store that does not answer what compaction has ends the look: missing offsets are no smaller matter for it', async () => {
  const { store, list } = await openScene()
  const away: ObjectStore = {
    ...store,
    list: (...args) => store.list(...args),
    get: () => Promise.reject(new MaxbrodError('STORAGE_UNREACHABLE', 'away')),
  }
  const generations = await list(away)
  await assert.rejects(generations.compactedOver(place, head), { code: 'STORAGE_UNREACHABLE' })
})
