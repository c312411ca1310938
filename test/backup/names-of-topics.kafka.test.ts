import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { runCommand } from '../helpers/in-process.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { partitionsOf, readBackup } from '../helpers/stored-backup.ts'
import { openWorld } from '../helpers/world.ts'
import type { World } from '../helpers/world.ts'

test('topics with names of up to 249 characters, and names that end like partitions, are backed up into a folder and into a bucket', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  const own = world.name('n')
  const topics = [
    own,
    `${own}-1`,
    `${own}-1-0`,
    `.${own}.`,
    ...[228, 229, 249].map(length => own.padEnd(length, '-.x_1')),
  ]
  for (const [n, topic] of topics.entries()) {
    await world.referee.createTopic(topic, { partitions: 2 })
    await world.referee.generate(topic, { partitions: 2, records: 20, seed: n + 1 })
  }
  await backUp(world, 'folder', [`--storage=file://${world.folder}/backup`])
  await assertStored(world, topics, openDirectoryStore(`${world.folder}/backup`))
  await backUp(world, 'bucket', [`--storage=${bucket.url()}`, `--s3-endpoint=${bucket.endpoint}`])
  await assertStored(world, topics, openS3Store(bucket.options))
})

async function backUp(world: World, worker: string, store: readonly string[]): Promise<void> {
  const { bootstrap, folder } = world
  const group = [
    `--group-id=${world.name(worker)}`,
    `--working-dir=${folder}/${worker}`,
    `--bootstrap-server=${bootstrap}`,
  ]
  const topics = String.raw`--topics=\.?${world.name('n')}.*`
  const { exit, stderr } = await runCommand(['backup', '--once', '--metrics-port=0', topics, ...group, ...store])
  assert.equal(exit, 0, stderr)
}

async function assertStored({ referee }: World, topics: readonly string[], store: ObjectStore): Promise<void> {
  const backup = await readBackup(store)
  store.close()
  for (const topic of topics) {
    const read = await referee.read(topic)
    assert.deepEqual(
      partitionsOf(backup, topic).map(({ digest }) => digest),
      read.map(({ digest }) => digest),
      topic,
    )
  }
}
