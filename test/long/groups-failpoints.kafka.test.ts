import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callsOf } from '../helpers/failpoints.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { knownVerbs } from '../helpers/faulty-ports.ts'
import type { GroupsScene } from '../helpers/groups-scene.ts'
import { openGroupsScene } from '../helpers/groups-scene.ts'
import { ok } from '../helpers/restore-scene.ts'

const OFFSETS = [0, 5, 39]
const NOTES = knownVerbs.map(verb => `${verb}:before:*:note`)

/** Each verb that a command calls × before and after × its first and its last call, as orders of SIGKILL. */
async function killsOf(argv: readonly string[]): Promise<string[]> {
  const golden = new FaultyCli([...argv], NOTES)
  const { exit, stderr } = await golden.result
  assert.equal(exit, 0, stderr)
  return [...callsOf(golden)].flatMap(([verb, calls]) =>
    [...new Set([1, calls])].flatMap(call => ['before', 'after'].map(when => `${verb}:${when}:${call}:kill`)),
  )
}

async function kill(argv: readonly string[], fault: string): Promise<void> {
  const killed = new FaultyCli([...argv], [fault])
  assert.equal((await killed.result).exit, 'SIGKILL', fault)
  killed.assertAllFired()
}

async function commitAll(scene: GroupsScene, topic: string, metadata: string): Promise<void> {
  for (const offset of OFFSETS) {
    const offsets = [0, 1].map(partition => ({ topic, partition, offset, metadata }))
    await scene.world.referee.commitOffsets(scene.group(`at-${offset}`), offsets)
  }
}

test('groups-restore killed at any call, run again: the same groups at the same offsets', async t => {
  await using scene = await openGroupsScene(t)
  const topic = await scene.source('orders', 40, { partitions: 2 })
  await commitAll(scene, topic, 'kept')
  ok(await scene.backUpGroups())
  await scene.backUp(topic)
  ok(await scene.plan([`--topics=${topic}`, '--create-topics', '--target-prefix=copy.']))
  ok(await scene.restore())

  const faults = await killsOf(scene.groupsRestoreArgv(['--group-prefix=golden.', '--execute']))
  assert.ok(faults.some(fault => fault.startsWith('admin.commitFromOutside:after')))
  t.diagnostic(`${faults.length} moments`)
  for (const [n, fault] of faults.entries()) {
    const flags = [`--group-prefix=k${n}.`, '--execute']
    await kill(scene.groupsRestoreArgv(flags), fault)
    assert.deepEqual(ok(await scene.restoreGroups(flags)).json['verdicts'], { exact: 2 * OFFSETS.length }, fault)
    for (const offset of OFFSETS) {
      const there = await scene.world.referee.groupOffsets(`k${n}.${scene.group(`at-${offset}`)}`)
      const standing = there.map(one => [one.topic, one.partition, Number(one.offset), one.metadata])
      const target = `copy.${topic}`
      assert.deepEqual(
        standing,
        [0, 1].map(partition => [target, partition, offset, 'kept']),
        fault,
      )
    }
  }
})

test('groups-backup killed at any call, run again: the newest snapshot says what the groups have committed', async t => {
  await using scene = await openGroupsScene(t)
  const topic = await scene.source('orders', 40, { partitions: 2 })
  await commitAll(scene, topic, 'first')
  ok(await scene.backUpGroups()) // a store's first writer calls more than the later ones
  await commitAll(scene, topic, 'golden')
  const argv = ['groups-backup', '--once', '--metrics-port=0', scene.groups, ...scene.common]
  const faults = await killsOf(argv)
  assert.ok(faults.some(fault => fault.startsWith('store.put:after')))
  t.diagnostic(`${faults.length} moments`)
  for (const [n, fault] of faults.entries()) {
    await commitAll(scene, topic, `m${n}`)
    await kill(argv, fault)
    const { snapshot, point } = ok(await scene.backUpGroups()).json
    const saved = await scene.committedIn(snapshot)
    assert.deepEqual(
      OFFSETS.map(offset => saved[scene.group(`at-${offset}`)]!.map(one => [one.partition, one.offset, one.metadata])),
      OFFSETS.map(offset => [0, 1].map(partition => [partition, offset, `m${n}`])),
      fault,
    )
    const newest = (await scene.points()).at(-1)!
    assert.deepEqual([newest.key, newest.groupsKey], [point, snapshot], fault)
  }
})
