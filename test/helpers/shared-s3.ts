import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { after } from 'node:test'
import { openS3Store } from '../../src/storage/s3.ts'
import type { S3Options } from '../../src/storage/s3-client.ts'
import { eventually } from './eventually.ts'
import { S3Proxy } from './s3proxy.ts'

// A running server that the user named; its credentials stand in AWS_ACCESS_KEY_ID and so on.
const foreign = process.env['S3_TEST_ENDPOINT'] ?? ''
// The server that test/run.ts started for all files, with its credentials in the same variables.
const ours = process.env['MAXBROD_TEST_S3'] ?? ''

/** For the option `skip` of tests of what only S3Proxy is known to do. */
export const skipWithForeignS3 =
  foreign === '' ? false : 'knows what S3Proxy does, and S3_TEST_ENDPOINT names a running server'

let s3: Promise<S3Proxy> | undefined

/**
 * The S3 server that tests share, for `--s3-endpoint`; use buckets of your own. A file that is run alone starts one. The
 * credentials are in the environment, for this process and its children.
 */
export async function sharedS3(): Promise<string> {
  if (foreign !== '') return foreign
  if (ours !== '') return ours
  s3 ??= startWithCredentials()
  return (await s3).endpoint
}

/** A bucket that goes away with all that is in it. */
export interface TestBucket extends AsyncDisposable {
  readonly bucket: string
  readonly endpoint: string
  /** For openS3Store. */
  readonly options: S3Options
  /** For `--storage`. */
  readonly url: (prefix?: string) => string
}

/** `await using bucket = await openBucket()`: at the shared server, or at another one. */
export async function openBucket(endpoint?: string, credentials?: S3Options['credentials']): Promise<TestBucket> {
  const server = endpoint ?? (await sharedS3())
  const bucket = `maxbrod-${Math.random().toString(36).slice(2, 12)}`
  const options: S3Options = {
    bucket,
    prefix: '',
    endpoint: server,
    ...(credentials === undefined ? {} : { credentials }),
  }
  const client = new S3Client({
    endpoint: server,
    region: 'us-east-1',
    forcePathStyle: true,
    ...(credentials === undefined ? {} : { credentials }),
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return {
    bucket,
    endpoint: server,
    options,
    url: prefix => `s3://${bucket}${prefix === undefined ? '' : `/${prefix}`}`,
    async [Symbol.asyncDispose]() {
      const store = openS3Store(options)
      // What a worker had sent before it was stopped may arrive in between.
      await eventually('the bucket is empty and gone', async () => {
        for await (const { key } of store.list('')) await store.delete(key)
        return client.send(new DeleteBucketCommand({ Bucket: bucket })).then(
          () => true,
          (error: unknown) => {
            if (error instanceof Error && error.name === 'BucketNotEmpty') return false
            throw error
          },
        )
      })
      store.close()
      client.destroy()
    },
  }
}

async function startWithCredentials(): Promise<S3Proxy> {
  const started = await S3Proxy.start()
  Object.assign(process.env, s3Environment(started))
  return started
}

/** What a process needs to reach the server. */
export function s3Environment({ credentials }: S3Proxy): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: 'us-east-1',
  }
}

after(async () => {
  await (await s3)?.[Symbol.asyncDispose]()
})
