import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { probeCreateOnly } from '../../src/storage/probe.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { bodyOf, contentOf } from '../helpers/object-bodies.ts'
import { S3Faults } from '../helpers/s3-faults.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { openBucket } from '../helpers/shared-s3.ts'

const key = '@cluster/cluster.json'
const content = '{"clusterId":"abc","archiveId":"def"}\n'
const facts = { sha256: bodyOf(content).sha256 }

test('a store that creates once passes the probe, and nothing changes', async () => {
  const store = newMemoryStore()
  await store.put(key, bodyOf(content), facts)
  const before = await store.head(key)
  await probeCreateOnly(store, key)
  assert.deepEqual(await store.head(key), before)
})

test('a real S3 server passes the probe', async () => {
  await using bucket = await openBucket()
  const store = openS3Store(bucket.options)
  await store.put(key, bodyOf(content), facts)
  await probeCreateOnly(store, key)
  store.close()
})

test(
  'a store that ignores If-None-Match is refused by name, and its object is what it was',
  { timeout: 120_000 },
  async () => {
    // A server that does not check signatures, and a proxy in front of it that loses the header: what some stores do.
    await using s3 = await S3Proxy.start({ properties: { 's3proxy.authorization': 'none' } })
    await using faults = await S3Faults.start(s3.endpoint)
    await using bucket = await openBucket(s3.endpoint, s3.credentials)
    const store = openS3Store({ ...bucket.options, endpoint: faults.endpoint })
    faults.rule(() => ({ kind: 'changed headers', headers: { 'if-none-match': undefined } }))
    assert.equal((await store.put(key, bodyOf(content), facts)).created, true)
    await assert.rejects(probeCreateOnly(store, key), { code: 'STORAGE_UNCONDITIONAL', message: /s3:\/\/maxbrod-/ })
    await using read = await store.get(key)
    assert.deepEqual(read.facts, facts)
    assert.equal(String(await contentOf(read)), content)
    store.close()

    // Whoever insists gets a look before each write, which serves one worker.
    const insisting = openS3Store({ ...bucket.options, endpoint: faults.endpoint, isConditional: false })
    assert.deepEqual(await insisting.put(key, bodyOf('other'), {}), { created: false })
    assert.equal(String(await contentOf(await insisting.get(key))), content)
    assert.equal((await insisting.put('a/b', bodyOf('x'), {})).created, true)
    insisting.close()
  },
)

test('the probe writes nothing where there is nothing, and nothing large', async () => {
  const puts: string[] = []
  const memory = newMemoryStore()
  const store: ObjectStore = {
    ...memory,
    put(name, ...rest) {
      puts.push(name)
      return memory.put(name, ...rest)
    },
  }
  await assert.rejects(probeCreateOnly(store, key), { code: 'OBJECT_MISSING' })
  await memory.put('a/tile.avro', bodyOf(Buffer.alloc(100_000)), {})
  await assert.rejects(probeCreateOnly(store, 'a/tile.avro'), { code: 'OBJECT_LIMIT' })
  assert.deepEqual(puts, [])
})
