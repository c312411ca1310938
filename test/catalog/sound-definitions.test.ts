import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SoundDefinitions, strictDefinitions } from '../../src/catalog/sound-definitions.ts'
import { writeDefinitions } from '../../src/catalog/topic-definitions.ts'
import { topicsKey } from '../../src/format/system-keys.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { bodyOf } from '../../src/catalog/object-body.ts'
import { define } from '../helpers/definition.ts'

/** Definitions of 1000, 1001 and 1002 ms, and whatever was told of them. */
async function openScene(damaged: readonly number[]) {
  const store = newMemoryStore()
  for (const atMs of [1000, 1001, 1002]) {
    if (damaged.includes(atMs)) await store.put(topicsKey(atMs), bodyOf(Buffer.from('no definitions')), {})
    else await writeDefinitions(store, [define('orders', atMs - 999)], atMs)
  }
  const told: string[] = []
  return { store, told, sound: new SoundDefinitions(store, key => void told.push(key)) }
}

const any = () => true

test('damaged definitions are passed over, and told of once', async () => {
  const { sound, told } = await openScene([1000, 1002])
  const partitionsOf = async (atMs?: number) => (await sound.find(['orders'], any, atMs)).get('orders')?.partitions
  assert.equal((await sound.newest())?.key, topicsKey(1001))
  assert.equal(await partitionsOf(), 2)
  assert.equal(await partitionsOf(1000), 2)
  assert.equal(sound.firstError?.facts['key'], topicsKey(1002))
  assert.deepEqual(told, [topicsKey(1002), topicsKey(1000)])
})

test('who must know what every object says stops at the first damaged one that it needs', async () => {
  const { store } = await openScene([1000])
  const strict = strictDefinitions(store)
  assert.equal((await strict.newest())?.key, topicsKey(1002))
  // Asked twice, it does not know better.
  for (const _ of [1, 2])
    await assert.rejects(
      strict.find(['gone'], any, undefined),
      error => isMaxbrodError(error, 'OBJECT_CORRUPT') && error.facts['key'] === topicsKey(1000),
    )
})
