import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { escapingFacts } from '../../src/storage/escaping-facts.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { testObjectStore } from '../contracts/object-store.ts'
import { runCommand } from '../helpers/in-process.ts'
import { assertSameDigests, RoundTrip } from '../helpers/round-trip.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { openWorld } from '../helpers/world.ts'
import { openAzure } from './azurite.ts'
import { writeResults } from '../torture/write-results.ts'
import { without } from './tools.ts'

describe('Azure through S3Proxy', { skip: without('azurite') }, () => {
  let azure: Awaited<ReturnType<typeof openAzure>>
  before(async () => void (azure = await openAzure()))
  const figures: Record<string, unknown> = {}
  after(async () => {
    await azure[Symbol.asyncDispose]()
    if (Object.keys(figures).length > 0) writeResults('azure.json', { server: 'Azurite behind S3Proxy', figures })
  })

  test('a backup goes there and comes back; a second worker, verify and prune find what they promise', async t => {
    await using world = await openWorld(t)
    await using bucket = await openBucket(azure.s3.endpoint, azure.s3.credentials)
    process.env['AWS_ACCESS_KEY_ID'] = azure.s3.credentials.accessKeyId
    process.env['AWS_SECRET_ACCESS_KEY'] = azure.s3.credentials.secretAccessKey
    const server = [`--s3-endpoint=${bucket.endpoint}`, '--s3-escape-metadata']
    const topic = world.name('orders')
    await world.referee.createTopic(topic, { partitions: 2 })
    await world.referee.generate(topic, { partitions: 2, records: 3_000, headers: [0, 3] })
    const run = (argv: readonly string[]) => runCommand([...argv, ...server])
    const roundTrip = new RoundTrip(world, { storage: bucket.url('prod'), run })
    // That the store creates once is looked at before anything else is put: no --allow-unconditional-put.
    const { json: first } = await roundTrip.backUp([topic], '--max-file-records=500')
    assert.ok(Number(first['files']) > 4)
    const { json: second } = await roundTrip.backUp([topic], '--max-file-records=500')
    assert.deepEqual([second['files'], second['records']], [0, 0])
    await roundTrip.plan()
    await roundTrip.restore()
    await assertSameDigests(world, topic, roundTrip.target(topic))
    const looks = [`--storage=${bucket.url('prod')}`, ...server]
    const verified = await runCommand(['verify', ...looks])
    assert.deepEqual([verified.exit, verified.json['findings'], verified.json['headersUnproven']], [0, [], 0])
    const pruned = await runCommand(['prune', '--keep-bytes=1B', '--yes', ...looks])
    assert.deepEqual([pruned.exit, pruned.json['refused']], [0, []], pruned.stderr)
    assert.ok(Number(pruned.json['deleted']) > 0)
    const { verified: filesVerified } = verified.json
    Object.assign(figures, {
      files: first['files'],
      records: 3_000,
      filesVerified,
      objectsPruned: pruned.json['deleted'],
    })
    assert.equal((await runCommand(['verify', ...looks])).exit, 0)
  })

  testObjectStore(
    'Azure behind S3Proxy',
    async () => {
      const bucket = await openBucket(azure.s3.endpoint, azure.s3.credentials)
      const store = escapingFacts(openS3Store({ ...bucket.options, pageKeys: 20 }))
      return {
        store,
        async [Symbol.asyncDispose]() {
          store.close()
          await bucket[Symbol.asyncDispose]()
        },
      }
    },
    { pageKeys: 20, sortsAllOfUnicode: false },
  )
})
