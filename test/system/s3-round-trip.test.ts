import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openS3Store } from '../../src/storage/s3.ts'
import { runCli } from '../helpers/cli.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import { assertBackedUp, assertSameDigests, RoundTrip } from '../helpers/round-trip.ts'
import { impatientStore } from '../helpers/impatient-store.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const isRead = (line: string) => /^(GET|HEAD) /.test(line)
const dataPut = /^PUT \S*\/\d+\/\S*\.avro/
const dataGet = /^GET \S*\/\d+\/\S*\.avro/

test('processes back up into a bucket, and plan and restore with the right to read alone', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  await using server = await S3Faults.start(bucket.endpoint)
  const source = await writeOrders(world)
  const roundTrip = new RoundTrip(world, { storage: bucket.url('shop/prod'), run: asProcess(server) })
  const { json: backup } = await roundTrip.backUp([source.topic], '--min-file-size=64KiB', '--max-file-records=5000')
  const store = openS3Store({ ...bucket.options, prefix: 'shop/prod' })
  const partitions = await assertBackedUp(world, roundTrip, [source.topic], store)
  const bytes = new Map<string, number>()
  for await (const object of store.list('')) bytes.set(object.key, object.bytes)
  store.close()
  const files = partitions.flatMap(partition => partition.files)
  assert.ok(files.length > 2 * partitions.length, `${files.length} files`)
  assert.deepEqual(
    { files: backup['files'], records: backup['records'], partitions: backup['partitions'], gaps: backup['gaps'] },
    {
      files: files.length,
      records: source.records,
      partitions: partitions.map(({ from, to, files: own, records }, partition) => ({
        topic: source.topic,
        partition,
        files: own.length,
        records: records.length,
        bytes: own.reduce((sum, { key }) => sum + bytes.get(key)!, 0),
        from,
        to,
      })),
      gaps: [],
    },
  )

  server.seen.length = 0
  server.rule(line => (isRead(line) ? undefined : s3ErrorAnswer(403, 'AccessDenied')))
  const { json: plan } = await roundTrip.plan()
  assert.deepEqual([plan['filesAdded'], plan['warnings']], [files.length, []])
  const { json: restored } = await roundTrip.restore()
  const target = roundTrip.target(source.topic)
  assert.deepEqual(
    [restored['recordsSent'], restored['topics'], restored['incomplete']],
    [
      source.records,
      [{ topic: target, partitions: 4, recordsPlanned: source.records, recordsRestored: source.records }],
      [],
    ],
  )
  assert.deepEqual(
    server.seen.filter(line => !isRead(line)),
    [],
  )
  for (const { key } of files)
    assert.ok(server.seen.includes(`GET /${bucket.bucket}/shop/prod/${key}?x-id=GetObject`), key)
  await assertSameDigests(world, source.topic, target)
})

test('a store that loses answers, is busy, breaks off and falls silent changes nothing in what comes back', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  await using server = await S3Faults.start(bucket.endpoint)
  const source = await writeOrders(world)
  const roundTrip = new RoundTrip(world, {
    storage: bucket.url(),
    run: argv => runCommand([...argv, `--s3-endpoint=${server.endpoint}`], impatientStore(bucket, server)),
  })
  const busy = s3ErrorAnswer(503, 'SlowDown')

  server.order(/^PUT .*cluster\.json/, { kind: 'lost answer' })
  server.order(/^PUT .*%40topics/, { kind: 'lost answer' }, 2)
  server.order(dataPut, { kind: 'lost answer' }, 2)
  server.order(dataPut, busy, 3)
  server.order(dataPut, { kind: 'cut request', atByte: 20_000 }, 2)
  server.order(dataPut, { kind: 'stalled request' })
  server.order(dataPut, { kind: 'lost answer' }, 2)
  server.order(dataGet, { kind: 'cut answer', atByte: 100 })
  server.order(dataGet, busy)
  server.order(/list-type=2/, busy)
  await roundTrip.backUp([source.topic], '--min-file-size=64KiB', '--max-file-records=5000')
  assert.equal(server.unused, 0)
  const store = openS3Store(bucket.options)
  await assertBackedUp(world, roundTrip, [source.topic], store)
  store.close()

  server.order(/list-type=2/, { kind: 'cut answer', atByte: 200 })
  server.order(/list-type=2/, busy)
  server.order(dataGet, busy, 3)
  server.order(dataGet, { kind: 'cut answer', atByte: 300 }, 2)
  server.order(dataGet, { kind: 'stalled answer', atByte: 100 })
  await roundTrip.plan()
  assert.equal(server.unused, 0)

  for (const atByte of [0, 1, 1_000, 60_000]) {
    server.order(dataGet, { kind: 'cut answer', atByte }, 2)
    server.order(dataGet, { kind: 'stalled answer', atByte })
    server.order(dataGet, busy)
  }
  await roundTrip.restore('--verify=full')
  assert.equal(server.unused, 0)
  await assertSameDigests(world, source.topic, roundTrip.target(source.topic))
})

async function writeOrders(world: World): Promise<{ topic: string; records: number }> {
  const { referee, dice } = world
  const topic = world.name('orders')
  const records = 60_000
  await referee.createTopic(topic, { partitions: 4 })
  const shape = { partitions: 4, records, codec: 'lz4', valueBytes: [100, 300], headers: [0, 2] } as const
  await referee.generate(topic, { ...shape, seed: dice.between(1, 1_000_000) })
  return { topic, records }
}

/** A process of its own, with the rights of the test at the server. */
function asProcess({ endpoint }: S3Faults): (argv: readonly string[]) => Promise<CommandResult> {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_REGION = '' } = process.env
  const env = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL: endpoint }
  return async argv => {
    const { exit, stdout, stderr } = await runCli([...argv, '--output=json'], { env })
    return { exit: Number(exit), stdout, stderr, json: JSON.parse(stdout) as Record<string, unknown> }
  }
}
