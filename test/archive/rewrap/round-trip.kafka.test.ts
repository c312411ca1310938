import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { newAgeKey } from '../../helpers/age-keys.ts'
import type { AgeKey } from '../../helpers/age-keys.ts'
import { GroupsScene, offsetsOf } from '../../helpers/groups-scene.ts'
import { runCommand } from '../../helpers/in-process.ts'
import { all } from '../../helpers/object-bodies.ts'
import { ok } from '../../helpers/restore-scene.ts'
import { openWorld } from '../../helpers/world.ts'

test('with the new key alone, and the files for the old one gone, topics, groups, drill and worker are what they were', async t => {
  await using world = await openWorld(t)
  const scene = new GroupsScene(world)
  const [old, present] = [newAgeKey(), newAgeKey()]
  const fileOf = async (name: string, { identityText }: AgeKey) => {
    await writeFile(join(world.folder, name), identityText, { mode: 0o600 })
    return `--identity=${join(world.folder, name)}`
  }
  const [withOld, withNew] = [await fileOf('old.key', old), await fileOf('new.key', present)]
  const storage = `--storage=file://${scene.folder}`
  const topic = await scene.source('orders', 0, { partitions: 2 })
  const backUp = async (group: string, { recipientText }: AgeKey) => {
    const own = [`--group-id=${world.name(group)}.worker`, `--working-dir=${world.folder}/${group}`]
    const flags = ['--once', '--flush-port=0', '--metrics-port=0', `--topics=${topic}`, `--encrypt-to=${recipientText}`]
    ok(await runCommand(['backup', ...flags, ...own, ...scene.common]))
  }
  for (let file = 0; file < 3; file++) {
    await scene.write(topic, 100, 2)
    await backUp('first', old)
  }
  for (const [n, offset] of [0, 37, 100, 150, 200].entries()) {
    const offsets = [0, 1].map(partition => ({ topic, partition, offset, metadata: `m${n}` }))
    await world.referee.commitOffsets(scene.group(`g${n}`), offsets)
  }
  ok(await scene.backUpGroups())

  const restoreAs = async (word: string, identity: string) => {
    const own = new GroupsScene(world, word)
    ok(await own.plan([`--topics=${topic}`, '--create-topics', `--target-prefix=${word}.`, identity]))
    ok(await own.restore([identity]))
    await own.assertSame(topic, `${word}.${topic}`)
    const groups = await own.restoreGroups([`--group-prefix=${word}.`, '--execute'])
    ok(groups)
    return offsetsOf(groups).map(({ group, partition, saved, offset, verdict }) => [
      group,
      partition,
      saved,
      offset,
      verdict,
    ])
  }
  const before = await restoreAs('before', withOld)
  assert.equal(before.length, 10)
  const planned = new GroupsScene(world, 'planned')
  ok(await planned.plan([`--topics=${topic}`, '--create-topics', '--target-prefix=planned.', withOld]))

  ok(await runCommand(['rewrap', storage, withOld, withNew, `--encrypt-to=${present.recipientText}`]))
  ok(await runCommand(['verify', storage, withNew]))
  const pruned = await runCommand(['prune', storage, '--superseded', '--yes'])
  ok(pruned)
  assert.equal(pruned.json['deleted'], 4)
  const left = (await all(scene.store.list(`${topic}/`))).map(({ key }) => key)
  assert.equal(left.length, 2, 'the newest of each partition')

  assert.deepEqual(await restoreAs('after', withNew), before)
  // A plan of before names files that are gone: nothing else is put in their place, and it is said why.
  const late = await planned.restore([withOld, withNew])
  assert.equal(late.exit, 3, late.stderr)
  assert.match(late.stderr, /was pruned after it was planned/)
  assert.match(late.stderr, /plan again into a new --plan-topic: it takes the files that stand in its place/)

  await scene.write(topic, 50, 2)
  await backUp('second', present)
  ok(await runCommand(['verify', storage, withNew]))
  const coverage = await runCommand(['coverage', storage, withNew])
  assert.deepEqual([coverage.exit, coverage.json['status']], [0, 'OK'], coverage.stdout)
  const drilled = await runCommand(['drill', ...scene.common, withNew, `--topics=${topic}`])
  ok(drilled)
  assert.deepEqual((drilled.json['topics'] as { records?: number }[]).length, 1)
})
