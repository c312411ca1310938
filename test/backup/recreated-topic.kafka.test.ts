import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { AtFetch } from '../helpers/at-fetch.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { ByName } from '../helpers/by-name.ts'
import { eventually } from '../helpers/eventually.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { spooledFiles } from '../helpers/spooled-files.ts'
import { assertUntouched, objectsIn } from '../helpers/stored-backup.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const partitions = 2

async function openTopic(t: TestContext, records: number) {
  const world = await openWorld(t)
  const topic = world.name('orders')
  const { topicId } = await world.referee.createTopic(topic, { partitions })
  await world.referee.generate(topic, { partitions, records, seed: 1 })
  return { world, topic, topicId, backup: new BackupRun({ world, topics: [topic] }) }
}

/** Deletes a topic and creates another one of its name, with other records. */
async function createAgain({ referee }: World, topic: string, records: number): Promise<string> {
  await referee.deleteTopic(topic)
  const isCreated = async () => (await referee.createTopic(topic, { partitions })).topicId
  const topicId = await eventually('the name is free again', isCreated)
  await referee.generate(topic, { partitions, records, seed: 2 })
  return topicId
}

test('a topic deleted and created again while no worker runs: the old files stay as they are, the new ones have a folder of their own', async t => {
  const { world, topic, topicId, backup } = await openTopic(t, 1_000)
  await using _ = world
  await backup.onceOk()
  const first = await objectsIn(backup.store)

  const newId = await createAgain(world, topic, 300)
  assert.notEqual(newId, topicId)
  const { stderr } = await backup.onceOk()
  assertNoAlarm(stderr)
  await assertUntouched(backup.store, first)
  await backup.assertSame(topic, `${topic}@${newId}`)
  const old = await backup.stored(topic)
  assert.equal(
    old.reduce((sum, { records }) => sum + records.length, 0),
    1_000,
  )

  // A third one, and the second one's files stay as they are, too.
  const second = await objectsIn(backup.store)
  const thirdId = await createAgain(world, topic, 50)
  await backup.onceOk()
  await assertUntouched(backup.store, second)
  await backup.assertSame(topic, `${topic}@${thirdId}`)
})

test('a topic deleted and created again while no worker runs: what the spool held of the old one is in its files', async t => {
  const { world, topic, backup } = await openTopic(t, 1_000)
  await using _ = world
  const source = await world.referee.read(topic)
  const patient = ['--max-file-age=1h', '--min-file-size=1GiB', '--idle-after=100ms']
  const worker = backup.start('worker', patient)
  const spooledRecords = async () =>
    (await spooledFiles(`${world.folder}/worker`)).reduce((sum, { records }) => sum + records, 0)
  try {
    await eventually('all is in the spool', async () => (await spooledRecords()) === 1_000)
  } finally {
    worker.signal('SIGTERM')
  }
  assert.equal((await worker.result).exit, 0)
  assert.deepEqual(await backup.stored(topic), [])

  const newId = await createAgain(world, topic, 300)
  const next = await backup.start('worker', ['--once']).result
  assert.equal(next.exit, 0, next.stderr)
  assert.deepEqual(
    (await backup.stored(topic)).map(({ digest }) => digest),
    source.map(({ digest }) => digest),
  )
  await backup.assertSame(topic, `${topic}@${newId}`)
  assert.equal(await spooledRecords(), 0)
})

test('a topic deleted and created again while a worker runs: what was read of the old one is kept, and the worker goes on with the new one', async t => {
  const { world, topic, backup } = await openTopic(t, 1_000)
  await using _ = world
  const source = await world.referee.read(topic)
  const worker = backup.start('worker', ['--max-file-age=200ms', '--metadata-max-age=300ms'])
  try {
    await backup.reachesEnds(topic)
    const first = await objectsIn(backup.store)
    const newId = await createAgain(world, topic, 300)
    await backup.reachesEnds(topic, `${topic}@${newId}`)
    await backup.assertSame(topic, `${topic}@${newId}`)
    await assertUntouched(backup.store, first)
    const old = await backup.stored(topic)
    assert.deepEqual(
      old.map(({ digest }) => digest),
      source.map(({ digest }) => digest),
    )
  } finally {
    worker.signal('SIGTERM')
  }
  const { exit, stderr } = await worker.result
  assert.equal(exit, 0, stderr)
  assertNoAlarm(stderr)
})

test('a broker that knows topics by name only gives records of a new topic for those of the old one: no file holds them', async t => {
  const { world, topic, backup } = await openTopic(t, 1_000)
  await using _ = world
  const source = await world.referee.read(topic)
  const fetches = new ByName()
  const worker = backup.start('worker', ['--max-file-age=1s', '--metadata-max-age=1h'], fetches.ports)
  try {
    await backup.reachesEnds(topic)
    const first = await objectsIn(backup.store)
    // The next fetch finds a log that goes on behind the end of the old one.
    const newId = await fetches.without(() => createAgain(world, topic, 3_000))
    await backup.reachesEnds(topic, `${topic}@${newId}`)
    await backup.assertSame(topic, `${topic}@${newId}`)
    await assertUntouched(backup.store, first)
    assert.deepEqual(
      (await backup.stored(topic)).map(({ digest }) => digest),
      source.map(({ digest }) => digest),
    )
  } finally {
    worker.signal('SIGTERM')
  }
  const { exit, stderr } = await worker.result
  assert.equal(exit, 0, stderr)
  assert.equal(
    logged(stderr, 'the topic was created anew: dropping what was read since the last file').length,
    partitions,
  )
})

test('what a worker had read of a topic and not uploaded when it was deleted is uploaded then', async t => {
  const { world, topic, backup } = await openTopic(t, 500)
  await using _ = world
  const source = await world.referee.read(topic)
  const worker = backup.start('worker', ['--max-file-age=1h', '--idle-after=100ms', '--metadata-max-age=300ms'])
  try {
    // Blocks of an idle partition go to the spool: then all of it was read.
    await eventually('both partitions were read', async () => (await spooled(world)).length === partitions)
    assert.equal(logged(worker.output(), 'uploaded').length, 0)
    const newId = await createAgain(world, topic, 20)
    await eventually(
      'the new topic is begun with',
      () => logged(worker.output(), 'backing up').length === 2 * partitions,
    )
    assert.deepEqual(
      (await backup.stored(topic)).map(({ digest }) => digest),
      source.map(({ digest }) => digest),
    )
    assert.deepEqual(await backup.stored(`${topic}@${newId}`), [])
  } finally {
    worker.signal('SIGTERM')
  }
  const { exit, stderr } = await worker.result
  assert.equal(exit, 0, stderr)
  assertNoAlarm(stderr)
})

for (const [what, isCreatedAgain] of [
  ['deleted', false],
  ['deleted and created again', true],
] as const) {
  test(`a topic ${what} under a --once worker: partial, exit 3, and each partition that is not whole is named`, async t => {
    const { world, topic, backup } = await openTopic(t, 40_000)
    await using _ = world
    const deletion = new AtFetch(3, () =>
      isCreatedAgain ? createAgain(world, topic, 20) : world.referee.deleteTopic(topic),
    )
    const { exit, json, stderr, stdout } = await backup.once(['--memory=16MiB'], deletion.ports)
    assert.ok(deletion.calls > 3)
    assert.equal(exit, 3, stderr + stdout)
    assert.equal(json['result'], 'partial')
    assert.deepEqual(
      (json['stopped'] as { partition: number; code: string; message: string }[]).map(({ message }) => message).sort(),
      [0, 1].map(n => `${topic}-${n}: the topic was deleted before all of ${topic}-${n} was backed up`),
    )
    const read = (await backup.stored(topic)).reduce((sum, { records }) => sum + records.length, 0)
    assert.ok(read > 0 && read < 40_000, `${read} records were read before, and kept`)
  })
}

async function spooled({ folder }: World): Promise<string[]> {
  const spool = `${folder}/worker/spool`
  const names = (await readdir(spool).catch(() => [])).filter(name => name.endsWith('.blocks'))
  const sizes = await Promise.all(names.map(async name => (await stat(`${spool}/${name}`)).size))
  return names.filter((_, n) => sizes[n]! > 0)
}
