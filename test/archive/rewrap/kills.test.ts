import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FaultyCli } from '../../helpers/faulty-process.ts'
import { runCommand } from '../../helpers/in-process.ts'
import { restorable } from '../../helpers/restorable.ts'
import { openRewrapScene, place } from '../../helpers/rewrap-scene.ts'
import type { RewrapScene } from '../../helpers/rewrap-scene.ts'
import { openedWith, rewrapping } from '../../helpers/rewrapping.ts'
import { assertUntouched, objectsIn } from '../../helpers/stored-backup.ts'
import { verifying } from '../../helpers/verifying.ts'

let scene: RewrapScene

before(async () => {
  scene = await openRewrapScene()
})

after(() => scene[Symbol.asyncDispose]())

/** Moments at which something was done, and nobody knows that yet, or is about to be. All of them: test/long/rewrap-failpoints.test.ts. */
for (const fault of [
  'store.get~users/0/:before:8:kill', //                for whom they are was read, and a part of them
  'store.put~@rewrapped:after:2:kill',
  'store.put~generation.json:before:1:kill',
  'store.put~generation.json:after:1:kill',
]) {
  test(`killed at ${fault}: restores are right at every step, and the next run completes it`, async t => {
    const { old, present, originals, records } = scene
    const { store, rewrap } = await scene.copy(t.fullName)
    const untouched = await objectsIn(store)
    const killed = new FaultyCli(rewrap, [fault])
    assert.equal((await killed.result).exit, 'SIGKILL', killed.output)
    killed.assertAllFired()

    await assertUntouched(store, untouched)
    const both = openedWith(store, old, present)
    assert.deepEqual((await verifying(both)).findings, [])
    assert.deepEqual(await restorable(openedWith(store, old), place), records, 'by the key that opened it before')
    const isSealed = fault.includes('generation.json:after')
    if (isSealed) assert.deepEqual(await restorable(openedWith(store, present), place), records)

    const { made, upToDate } = await rewrapping(store, { with: [old, present], to: [present] })
    assert.deepEqual([made.length, upToDate], isSealed ? [0, 1] : [1, 0], 'what is finished is not made again')
    await assertUntouched(store, untouched)
    const sound = await verifying(openedWith(store, present))
    assert.deepEqual([sound.findings, sound.generations], [[], 1], 'one generation, however often it was begun')
    for (const key of originals.slice(0, -1)) {
      await store.delete(key)
      assert.deepEqual(await restorable(openedWith(store, present), place), records, `without ${key}`)
    }
  })
}

for (const fault of ['store.put~@prunes/:after:1:kill', 'store.deleteAll:after:1:kill']) {
  test(`prune --superseded, killed at ${fault}: the new key restores all of it, and the next run completes it`, async t => {
    const { old, present, originals, records } = scene
    const { store, prune } = await scene.copy(t.fullName)
    await rewrapping(store, { with: [old, present], to: [present] })
    const killed = new FaultyCli(prune, [fault])
    assert.equal((await killed.result).exit, 'SIGKILL', killed.output)
    killed.assertAllFired()
    const opened = openedWith(store, present)
    assert.deepEqual(await restorable(opened, place), records)
    assert.deepEqual((await verifying(opened)).findings, [])

    const { exit, stderr } = await runCommand(prune)
    assert.equal(exit, 0, stderr)
    const left = [...(await objectsIn(store)).keys()].filter(key => key.startsWith('users/'))
    assert.deepEqual(left, originals.slice(-1))
    assert.deepEqual(await restorable(opened, place), records)
    assert.deepEqual((await verifying(opened)).findings, [])
  })
}
