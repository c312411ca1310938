import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { deleteEach } from '../../src/storage/delete-each.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { dayMs, pruning, pruningAt } from '../helpers/aged-archive.ts'
import { updates } from '../helpers/compacting.ts'
import type { DigestRecord } from '../helpers/records.ts'
import { restorable } from '../helpers/restorable.ts'
import { openedWith, putFor, rewrapping } from '../helpers/rewrapping.ts'
import { Dice } from '../helpers/seed.ts'

const place = { topic: 'users', partition: 0 }
const [old, present] = [newAgeKey(), newAgeKey()]

/** Two files, and others for another key whose maker fell asleep before it said that they are complete. */
async function unfinished() {
  const store = newMemoryStore()
  const all: DigestRecord[] = []
  for (const n of [0, 1]) {
    const records = updates(new Dice(`file ${n}`), 20, 9, n * 50).filter(({ offset }) => offset < (n + 1) * 50)
    await putFor(store, [old], place, [n * 50, (n + 1) * 50], records)
    all.push(...records)
  }
  let wakes = async (): Promise<void> => assert.fail('nothing was made')
  const asleep: ErasableStore = {
    ...store,
    async put(key, body, facts, signal) {
      if (!key.endsWith('/generation.json')) return store.put(key, body, facts, signal)
      wakes = async () => void (await store.put(key, body, facts, signal))
      return { created: true, etag: '' }
    },
  }
  await rewrapping(asleep, { with: [old, present], to: [present] })
  return { store, all, wakes }
}

/** A store whose user stands still before the `stopAt`th of the calls by which two prunes can meet, until told to go on. */
function standingStill(store: ErasableStore, stopAt: number) {
  let calls = 0
  const [stopped, awake] = [Promise.withResolvers<true>(), Promise.withResolvers<void>()]
  const step = async () => {
    calls++
    if (calls !== stopAt) return
    stopped.resolve(true)
    await awake.promise
  }
  const stepped: ErasableStore = {
    ...store,
    async put(...call) {
      await step()
      return store.put(...call)
    },
    async head(key, signal) {
      if (key.endsWith('/generation.json')) await step()
      return store.head(key, signal)
    },
    async delete(key, signal) {
      await step()
      return store.delete(key, signal)
    },
    deleteAll: (keys, signal) => deleteEach(stepped, keys, signal),
    async *list(prefix, options) {
      if (['@prunes/', '@rewrapped/'].includes(prefix)) await step()
      yield* store.list(prefix, options)
    },
  }
  return { store: stepped, stopped: stopped.promise, goesOn: () => awake.resolve() }
}

test('of two prunes at once, one of which takes away what a sleeper finishes just then, neither takes the last of anything', async () => {
  const later = Date.now() + 2 * dayMs
  const ends = new Set<string>()
  // However far each of the two is when the other one goes on.
  for (let first = 1, isOver = false; !isOver; first++) {
    for (let second = 1, isWhole = false; !isWhole; second++) {
      const { store, all, wakes } = await unfinished()
      const [one, other] = [standingStill(store, first), standingStill(store, second)]
      const taking = pruningAt(one.store, later, '--keep=9999d', '--yes')
      isOver = (await Promise.race([one.stopped, taking])) !== true
      await wakes()
      const relying = pruningAt(other.store, later, '--superseded', '--yes').then(
        ({ deletion }) => `${deletion?.deleted} deleted`,
        (error: unknown) => (error instanceof MaxbrodError ? error.code : assert.fail(String(error))),
      )
      isWhole = (await Promise.race([other.stopped, relying])) !== true
      one.goesOn()
      await taking
      other.goesOn()
      const end = await relying
      ends.add(end)
      const at = `${first}, ${second}: ${end}`
      assert.deepEqual(await restorable(openedWith(store, old, present), place).catch(String), all, at)
      // Who was refused is right the next time.
      if (end === 'OBJECT_CHANGED') await pruning(store, '--superseded', '--yes')
    }
  }
  assert.deepEqual([...ends].toSorted(), ['0 deleted', '1 deleted', 'OBJECT_CHANGED'])
})
