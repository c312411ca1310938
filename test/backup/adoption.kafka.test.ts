import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { tileKey } from '../../src/format/keys.ts'
import { beginnings } from '../helpers/aged-archive.ts'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { runCommand } from '../helpers/in-process.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { assertUntouched, objectsIn } from '../helpers/stored-backup.ts'
import { openWorld } from '../helpers/world.ts'

const partitions = 3
const records = 1_500

async function openBackup(t: TestContext) {
  const world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions })
  await world.referee.generate(topic, { partitions, records })
  const backup = new BackupRun({ world, topics: [topic] })
  await backup.onceOk()
  return { world, topic, backup }
}

test('a group whose offsets were deleted goes on at the ends of the files, and commits them', async t => {
  const { world, topic, backup } = await openBackup(t)
  await using _ = world
  const ends = (await backup.stored(topic)).map(({ to }) => to)
  const before = await objectsIn(backup.store)
  await world.referee.deleteGroup(backup.group)
  assert.deepEqual(await world.referee.groupOffsets(backup.group), [])

  const idle = await backup.onceOk()
  assertNoAlarm(idle.stderr)
  assert.equal(idle.json['files'], 0)
  const committed = await world.referee.groupOffsets(backup.group)
  assert.deepEqual(
    committed.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset)),
    ends,
  )
  assert.deepEqual(await objectsIn(backup.store), before)

  await world.referee.deleteGroup(backup.group)
  await world.referee.generate(topic, { partitions, records, seed: 2 })
  const busy = await backup.onceOk()
  assertNoAlarm(busy.stderr)
  assert.equal(busy.json['records'], records)
  await assertUntouched(backup.store, before)
  await backup.assertSame(topic)
})

test('files that are gone from the end of a chain are backed up again, although the group had committed them', async t => {
  const { world, topic, backup } = await openBackup(t)
  await using _ = world
  await world.referee.generate(topic, { partitions, records, seed: 2 })
  await backup.onceOk()
  const [chain] = await backup.stored(topic)
  const last = chain!.files.at(-1)!
  assert.ok(last.from > 0)
  await backup.store.delete(last.key)

  const { stderr, json } = await backup.onceOk()
  assertNoAlarm(stderr)
  assert.equal(json['records'], last.records.length)
  await backup.assertSame(topic)
})

test('without its group a worker goes on behind what was pruned, also where a prune was not finished; a plan begins there', async t => {
  const { world, topic, backup } = await openBackup(t)
  await using _ = world
  for (const seed of [2, 3, 4]) {
    await world.referee.generate(topic, { partitions, records, seed })
    await backup.onceOk()
  }
  // Given up but for the newest file, and killed in the middle: the second file of each partition is gone, the first is not.
  const prune = ['prune', `--storage=${backup.url}`, '--keep-bytes=1B', '--yes']
  assert.equal((await runCommand([...prune, '--grace=1d'])).exit, 0)
  const files = async () => Object.values(await beginnings(backup.store)).map(({ length }) => length)
  assert.deepEqual(await files(), [4, 4, 4])
  for (const [folder, [, second = 0]] of Object.entries(await beginnings(backup.store))) {
    const place = { topic, topicId: undefined, partition: Number(folder.split('/')[1]), lineage: undefined }
    await backup.store.delete(tileKey(place, second))
  }
  await world.referee.deleteGroup(backup.group)

  await world.referee.generate(topic, { partitions, records, seed: 5 })
  const after = await backup.onceOk()
  assertNoAlarm(after.stderr)
  assert.deepEqual([after.json['records'], after.json['gaps']], [records, []])
  const plan = async () => {
    const storage = [`--storage=${backup.url}`, `--bootstrap-server=${world.bootstrap}`]
    const target = ['--target-prefix=restored.', '--create-topics', `--plan-topic=${world.name('plan')}`]
    const { exit, json, stderr } = await runCommand(['plan', '--dry-run', '--strict', ...storage, ...target])
    assert.equal(exit, 0, stderr)
    return (json['topics'] as { files: number }[]).map(one => one.files)
  }
  assert.deepEqual(await plan(), [2 * partitions])

  assert.equal((await runCommand(prune)).exit, 0)
  assert.deepEqual(await files(), [1, 1, 1])
  assert.deepEqual(await plan(), [partitions])
  const idle = await backup.onceOk()
  assertNoAlarm(idle.stderr)
  assert.equal(idle.json['files'], 0)
})

for (const [what, isLeftOut] of [
  ['whole', () => false],
  ['without what the store kept beside its objects', (path: string) => path.endsWith('/@meta')],
] as const) {
  test(`a bucket that was copied elsewhere, ${what}, is gone on with there: nothing is read again, and nobody is alarmed`, async t => {
    const { world, topic, backup } = await openBackup(t)
    await using _ = world
    const moved = new BackupRun({ world, topics: [topic], store: 'moved' })
    const filter = (path: string) => !isLeftOut(path)
    await cp(`${world.folder}/backup`, `${world.folder}/moved`, { recursive: true, filter })
    const before = await objectsIn(backup.store)
    await world.referee.generate(topic, { partitions, records, seed: 2 })
    const { stderr, json } = await moved.onceOk()
    assertNoAlarm(stderr)
    assert.equal(json['records'], records)
    assert.deepEqual(await objectsIn(backup.store), before)
    // Who looks into the files here compares them with what the store keeps beside them.
    await cp(`${world.folder}/backup/@meta`, `${world.folder}/moved/@meta`, { recursive: true })
    await moved.assertSame(topic)
  })
}

test('a second group on the same files goes on where the first one ended, and the first one behind the second', async t => {
  const { world, topic, backup } = await openBackup(t)
  await using _ = world
  await world.referee.generate(topic, { partitions, records, seed: 2 })
  const second = new BackupRun({ world, topics: [topic], group: world.name('second') })
  const bySecond = await second.onceOk()
  assertNoAlarm(bySecond.stderr)
  assert.equal(bySecond.json['records'], records)

  await world.referee.generate(topic, { partitions, records, seed: 3 })
  const byFirst = await backup.onceOk()
  assertNoAlarm(byFirst.stderr)
  assert.equal(byFirst.json['records'], records)
  const began = new Map(begun(byFirst.stderr).map(({ partition, position }) => [partition, position]))
  const ended = bySecond.json['partitions'] as { topic: string; partition: number; to: number }[]
  assert.deepEqual(began, new Map(ended.map(({ partition, to }) => [`${topic}-${partition}`, to])))
  await backup.assertSame(topic)
})

test('workers of two groups that write the same partitions at the same time: the files tile, and nobody is alarmed', async t => {
  const { world, topic, backup } = await openBackup(t)
  await using _ = world
  const second = new BackupRun({ world, topics: [topic], group: world.name('second') })
  const flags = ['--max-file-age=200ms']
  const workers = [backup.start('first', flags), second.start('second', flags)]
  const found = () =>
    workers.flatMap(worker => logged(worker.output(), 'found a file in place of ours, going on behind it'))
  for (let round = 0; round < 5 || found().length < 3; round++) {
    assert.ok(round < 100, 'the two never met')
    await world.referee.generate(topic, { partitions, records: 300, seed: 10 + round })
    await backup.reachesEnds(topic)
  }
  for (const worker of workers) worker.signal('SIGTERM')
  for (const { result } of workers) {
    const { exit, stderr } = await result
    assert.equal(exit, 0, stderr)
    assertNoAlarm(stderr)
  }
  await backup.assertSame(topic)
})
