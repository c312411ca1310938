import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callsOf } from '../helpers/failpoints.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { knownVerbs } from '../helpers/faulty-ports.ts'
import { runCommand } from '../helpers/in-process.ts'
import { restorable } from '../helpers/restorable.ts'
import { openRewrapScene, place } from '../helpers/rewrap-scene.ts'
import { openedWith, rewrapping } from '../helpers/rewrapping.ts'
import { assertUntouched, objectsIn } from '../helpers/stored-backup.ts'
import { verifying } from '../helpers/verifying.ts'

const NOTES = knownVerbs.map(verb => `${verb}:before:*:note`)

/** Before and after each call of each verb that a command makes, as orders of SIGKILL. */
async function killsOf(argv: readonly string[]): Promise<string[]> {
  const golden = new FaultyCli(argv, NOTES)
  const { exit, stderr } = await golden.result
  assert.equal(exit, 0, stderr)
  return [...callsOf(golden)].flatMap(([verb, calls]) =>
    Array.from({ length: calls }, (_, n) => ['before', 'after'].map(when => `${verb}:${when}:${n + 1}:kill`)).flat(),
  )
}

/** False for what cannot be hit: nothing comes after a call that finds no object. */
async function kill(argv: readonly string[], fault: string): Promise<boolean> {
  const killed = new FaultyCli(argv, [fault])
  const { exit } = await killed.result
  if (exit === 0 && fault.startsWith('store.get:after:') && killed.fired.length === 0) return false
  assert.equal(exit, 'SIGKILL', `${fault}: ${killed.output}`)
  killed.assertAllFired()
  return true
}

test('rewrap killed at any call: the old key restores all that it did, and the next run completes it for the new one', async () => {
  await using scene = await openRewrapScene()
  const { old, present, records } = scene
  const kills = await killsOf((await scene.copy('golden')).rewrap)
  let hits = 0
  for (const fault of kills) {
    const { store, rewrap } = await scene.copy(fault)
    const untouched = await objectsIn(store)
    if (!(await kill(rewrap, fault))) continue
    hits++
    assert.deepEqual(await restorable(openedWith(store, old), place), records, fault)
    assert.deepEqual((await verifying(openedWith(store, old, present))).findings, [], fault)
    const { exit, stderr } = await runCommand(rewrap)
    assert.equal(exit, 0, stderr)
    await assertUntouched(store, untouched)
    assert.deepEqual(await restorable(openedWith(store, present), place), records, fault)
  }
  assert.ok(hits > 20 && hits > kills.length - 3, `${hits} of ${kills.length}`)
})

test('prune --superseded killed at any call: the new key restores all of it, and the next run completes it', async () => {
  await using scene = await openRewrapScene()
  const { old, present, records, originals } = scene
  const made = async (name: string) => {
    const copy = await scene.copy(name)
    await rewrapping(copy.store, { with: [old, present], to: [present] })
    return copy
  }
  const kills = await killsOf((await made('golden')).prune)
  let hits = 0
  for (const fault of kills) {
    const { store, prune } = await made(fault)
    if (!(await kill(prune, fault))) continue
    hits++
    const opened = openedWith(store, present)
    assert.deepEqual(await restorable(opened, place), records, fault)
    assert.deepEqual((await verifying(opened)).findings, [], fault)
    const { exit, stderr } = await runCommand(prune)
    assert.equal(exit, 0, stderr)
    const left = [...(await objectsIn(store)).keys()].filter(key => key.startsWith('users/'))
    assert.deepEqual(left, originals.slice(-1), fault)
    assert.deepEqual(await restorable(opened, place), records, fault)
  }
  assert.ok(hits > 20 && hits > kills.length - 3, `${hits} of ${kills.length}`)
})
