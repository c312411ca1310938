import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { bodyOf } from '../helpers/object-bodies.ts'
import { openKeeping } from './open-keeping.ts'
import { openS3Mock } from './s3mock.ts'
import { without } from './tools.ts'

describe(
  'encryption by the store and storage classes, at a server that keeps them',
  { skip: without('s3mock') },
  () => {
    let server: Awaited<ReturnType<typeof openS3Mock>>
    let client: S3Client

    before(async () => {
      server = await openS3Mock()
      // It checks no signatures.
      process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'maxbrod-test'
      client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true })
      await client.send(new CreateBucketCommand({ Bucket: 'kept' }))
    })

    after(async () => {
      client.destroy()
      await server[Symbol.asyncDispose]()
    })

    const open = (...flags: string[]) =>
      openKeeping(`--storage=s3://kept/prod`, `--s3-endpoint=${server.endpoint}`, '--storage-deadline=10s', ...flags)

    test('the server says of each object what was asked for', async () => {
      for (const [key, flags, expected] of [
        ['kms', ['--sse=aws:kms', `--sse-kms-key-id=${server.keyId}`], ['aws:kms', server.keyId, undefined]],
        ['aes', ['--sse=AES256', '--storage-class=STANDARD_IA'], ['AES256', undefined, 'STANDARD_IA']],
        ['plain', [], [undefined, undefined, undefined]],
      ] as const) {
        const store = await open(...flags)
        assert.equal((await store.put(key, bodyOf('hello'), { 'upload-id': key })).created, true)
        assert.deepEqual(await store.put(key, bodyOf('hello'), {}), { created: false })
        const head = await client.send(new HeadObjectCommand({ Bucket: 'kept', Key: `prod/${key}` }))
        assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId, head.StorageClass], expected, key)
        assert.deepEqual((await store.head(key))?.facts, { 'upload-id': key })
        store.close()
      }
    })

    test('a key that KMS does not know is refused, and the hint names the flag', async () => {
      const store = await open('--sse=aws:kms', '--sse-kms-key-id=nobody', '--object-lock=governance', '--retain=1d')
      await assert.rejects(store.put('a', bodyOf('x'), {}), (error: { code?: string; hint?: string }) => {
        assert.equal(error.code, 'STORAGE_REFUSED')
        assert.match(String(error.hint), /--sse-kms-key-id/)
        return true
      })
      assert.equal(await store.head('a'), undefined)
      store.close()
    })
  },
)
