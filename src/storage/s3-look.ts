import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { Clock } from '../runtime/clock.ts'
import type { CredentialsSource, Identity, StorageLook } from './port.ts'
import type { S3Options } from './s3-client.ts'
import { newS3Client, until } from './s3-client.ts'
import { s3Error } from './s3-errors.ts'

/** One small listing: who we are to the store, and what time it has. Errors as those of ObjectStore.list. */
export async function lookAtS3(
  options: S3Options,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<StorageLook> {
  const { bucket, prefix } = options
  const client = newS3Client(options)
  let skewMs: number | undefined
  client.middlewareStack.add(
    next => async given => {
      const askedAt = clock.now()
      const result = await next(given)
      const { headers } = result.response as { headers: Readonly<Record<string, string>> }
      const theirs = Date.parse(headers['date'] ?? '')
      if (!Number.isNaN(theirs)) skewMs = theirs - (askedAt + clock.now()) / 2
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'dateOfAnswer' },
  )
  const url = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
  try {
    const Prefix = prefix === '' ? undefined : `${prefix}/`
    await client.send(
      new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1, ...(Prefix ? { Prefix } : {}) }),
      until(signal),
    )
    return { identity: identityOf(await client.config.credentials()), skewMs }
  } catch (error) {
    throw s3Error(error, { verb: 'list', key: '', url, signal })
  } finally {
    client.destroy()
  }
}

/** The SDK's marks of where it found credentials. Source: AwsSdkCredentialsFeatures of @aws-sdk/types. */
const SOURCES: readonly (readonly [CredentialsSource, readonly string[]])[] = [
  ['web identity', ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', 'CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN']],
  ['instance', ['CREDENTIALS_IMDS']],
  ['container', ['CREDENTIALS_HTTP']],
  ['environment', ['CREDENTIALS_ENV_VARS']],
]

interface FoundCredentials {
  readonly accessKeyId: string
  readonly accountId?: string
  readonly $source?: Readonly<Record<string, unknown>>
}

function identityOf({ accessKeyId, accountId, $source = {} }: FoundCredentials): Identity {
  const has = (mark: string) => Object.hasOwn($source, mark)
  const found = SOURCES.find(([, marks]) => marks.some(has))?.[0]
  const isProfile = Object.keys($source).some(mark => mark.includes('PROFILE'))
  return { accessKeyId, accountId, foundIn: found ?? (isProfile ? 'profile' : 'elsewhere') }
}
