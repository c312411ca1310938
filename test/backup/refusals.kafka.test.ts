import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { claimArchive } from '../../src/catalog/archive.ts'
import { decodeCommitNote } from '../../src/format/commit-note.ts'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { Cli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { withAdmin } from '../helpers/groups-scene.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { objectsIn } from '../helpers/stored-backup.ts'
import { openWorld } from '../helpers/world.ts'

function errorOf({ json }: CommandResult): { readonly code: string; readonly message: string; readonly hint: string } {
  return json['error'] as ReturnType<typeof errorOf>
}

test('a worker of another cluster is refused with exit 6, and changes nothing', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 10 })
  const backup = new BackupRun({ world, topics: [topic] })
  await claimArchive(backup.store, { clusterId: 'another', archiveId: 'a', createdAt: '2026-11-21T00:00:00.000Z' })
  const before = await objectsIn(backup.store)
  const result = await backup.once()
  assert.equal(result.exit, 6, result.stderr)
  assert.equal(errorOf(result).code, 'FOREIGN_CLUSTER')
  assert.match(errorOf(result).message, /holds the backup of cluster another, and this is cluster /)
  assert.match(errorOf(result).hint, /another prefix/)
  assert.deepEqual(await objectsIn(backup.store), before)
  assert.deepEqual(await world.referee.groupOffsets(backup.group), [])
})

test('a name that no topic has ends --once with exit 3, and the names that are near; nothing is stored', async t => {
  await using world = await openWorld(t)
  await world.referee.createTopic(world.name('orders'))
  const { exit, json, stderr } = await new BackupRun({ world, topics: [world.name('oders')] }).once()
  assert.deepEqual([exit, json['result'], json['files']], [3, 'partial', 0], stderr)
  assert.match(String(json['nothingMatched']), new RegExp(`^--topics ${world.name('oders')} matches none of the`))
  assert.match(stderr, new RegExp(`did you mean ${world.name('orders')}`))
})

test('another archive behind the commits of a group is refused with exit 6; the commits and both archives stay as they are', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 2 })
  await world.referee.generate(topic, { partitions: 2, records: 100 })
  const backup = new BackupRun({ world, topics: [topic] })
  await backup.onceOk()
  const committed = await world.referee.groupOffsets(backup.group)

  const other = new BackupRun({ world, topics: [topic], group: backup.group, store: 'elsewhere' })
  const result = await other.once()
  assert.equal(result.exit, 6, result.stderr)
  assert.equal(errorOf(result).code, 'FOREIGN_ARCHIVE')
  assert.match(errorOf(result).message, /the group has committed .* for another archive/)
  assert.match(errorOf(result).hint, /--group-id/)
  assert.deepEqual(await other.stored(topic), [])
  assert.deepEqual(await world.referee.groupOffsets(backup.group), committed)
  assert.deepEqual((await backup.onceOk()).json['files'], 0)
})

test('--once ends when the group has heard which partition cannot go on, however long that takes', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 10 })
  const backup = new BackupRun({ world, topics: [topic] })
  await backup.store.put(`${topic}/0/${topic}-0-${'0'.repeat(19)}.avro`, bodyOf('not ours'), {})
  const slowly = withAdmin(admin => ({
    async topics(names) {
      if (names?.length === 1) await sleep(500)
      return admin.topics(names)
    },
  }))
  const { exit, json, stderr } = await backup.once([], slowly)
  assert.deepEqual([exit, json['result']], [3, 'partial'], stderr)
  const [told] = await world.referee.groupOffsets(backup.group)
  assert.equal(decodeCommitNote(told?.metadata ?? '')?.stopped, 'TILE_CONFLICT', stderr)
})

test('a store that was emptied behind the back of a group is another archive', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 100 })
  const backup = new BackupRun({ world, topics: [topic] })
  await backup.onceOk()
  for (const key of (await objectsIn(backup.store)).keys()) await backup.store.delete(key)
  const result = await backup.once()
  assert.equal(result.exit, 6, result.stderr)
  assert.equal(errorOf(result).code, 'FOREIGN_ARCHIVE')
})

test('two processes in one working directory: the second one is refused, and the first one goes on', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 100 })
  const backup = new BackupRun({ world, topics: [topic] })
  const first = new Cli(backup.argv('shared', '--max-file-age=200ms'))
  try {
    await eventually('the first one works', () => begun(first.output).length === 1)
    const second = await runCommand(backup.argv('shared', '--once'))
    assert.equal(second.exit, 6, second.stderr)
    assert.equal(errorOf(second).code, 'WORKER_LOCKED')
    assert.match(errorOf(second).message, /another process works in .*\/shared/)
    assert.match(errorOf(second).hint, /--working-dir/)

    await world.referee.generate(topic, { partitions: 1, records: 50, seed: 2 })
    await backup.reachesEnds(topic)
    first.process.kill('SIGKILL')
    await first.result
    // The lock died with its process.
    const third = await runCommand(backup.argv('shared', '--once'))
    assert.equal(third.exit, 0, third.stderr)
  } finally {
    first.process.kill('SIGKILL')
    await first.result
  }
  await backup.assertSame(topic)
})
