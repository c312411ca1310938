import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { openS3Store } from '../../src/storage/s3.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { logged } from '../helpers/log-lines.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { partitionsOf, readBackup } from '../helpers/stored-backup.ts'
import { openWorld } from '../helpers/world.ts'

test('topics of one worker have files of their own size and age, and storage classes, as their rules say', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  const [small, young, usual] = ['small', 'young', 'usual'].map(name => world.name(name)) as [string, string, string]
  const topics = [small, young, usual]
  for (const topic of topics) {
    await world.referee.createTopic(topic)
    await world.referee.generate(topic, { partitions: 1, records: 1_000 })
  }
  const rules = `${world.folder}/rules.conf`
  await writeFile(
    rules,
    `[${small}]\nmax-file-records = 100\nstorage-class = STANDARD_IA\n[.*young.*]\nmax-file-age = 200ms\n`,
  )
  const argv = (...flags: string[]) => [
    'backup',
    ...topics.map(topic => `--topics=${topic}`),
    `--bootstrap-server=${world.bootstrap}`,
    `--topic-rules=${rules}`,
    `--working-dir=${world.folder}/worker`,
    '--metrics-port=0',
    '--flush-port=0',
    ...flags,
  ]
  const worker = startCommand(
    argv(`--group-id=${usual}`, `--storage=${bucket.url()}`, `--s3-endpoint=${bucket.endpoint}`),
  )
  const uploads = (topic: string) => logged(worker.output(), 'uploaded').filter(line => line['topic'] === topic)
  await eventually('both topics with rules are backed up', () => {
    const records = [small, young].map(topic =>
      uploads(topic).reduce((sum, line) => sum + (line['records'] as number), 0),
    )
    return records.every(sum => sum === 1_000)
  })
  assert.deepEqual(uploads(usual), [], 'the topic without a rule waits for the usual size and age')
  assert.deepEqual(
    new Set(uploads(small).map(({ reason, records }) => `${String(reason)} ${String(records)}`)),
    new Set(['records 100']),
  )
  assert.ok(uploads(young).every(({ reason }) => reason === 'age'))
  worker.signal('SIGTERM')
  assert.equal((await worker.result).exit, 0, worker.output())

  const client = new S3Client({ endpoint: bucket.endpoint, region: 'us-east-1', forcePathStyle: true })
  const { Contents: objects = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket.bucket }))
  client.destroy()
  const files = objects.filter(({ Key: key = '' }) => key.endsWith('.avro') && !key.startsWith('@'))
  assert.ok(files.length >= 11)
  for (const { Key: key = '', StorageClass: found } of files)
    assert.equal(found, key.startsWith(`${small}/`) ? 'STANDARD_IA' : 'STANDARD', key)
  const store = openS3Store(bucket.options)
  const stored = await readBackup(store)
  store.close()
  const [read] = await world.referee.read(small)
  assert.deepEqual(
    partitionsOf(stored, small).map(({ digest }) => digest),
    [read?.digest],
  )

  const inFolder = await runCommand(argv(`--storage=file://${world.folder}/store`, `--group-id=${young}`, '--once'))
  assert.equal(inFolder.exit, 0, inFolder.stderr)
  assert.match(inFolder.stderr, /storage-class and tags of --topic-rules mean nothing to this store/)
})
