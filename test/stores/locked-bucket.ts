import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { openVersity } from './versity.ts'

export interface ObjectVersion {
  readonly key: string
  readonly versionId: string
}

/** What a bucket keeps of one object, and until when. */
export interface Lock extends ObjectVersion {
  readonly mode: string | undefined
  readonly untilMs: number
}

/** A bucket with object lock, and its owner, who may do all that the server lets anybody do. */
export async function openLockedBucket({ hasVersions }: { readonly hasVersions: boolean }) {
  const server = await openVersity({ hasVersions })
  const { endpoint, credentials } = server
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials })
  const bucket = 'locked'
  await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }))
  // maxbrod finds them where everybody has them.
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey
  const at = (key: string) => ({ Bucket: bucket, Key: key })
  const version = ({ key, versionId }: ObjectVersion) => ({ ...at(key), VersionId: versionId })

  return {
    flags: [`--storage=s3://${bucket}/prod`, `--s3-endpoint=${endpoint}`, '--s3-region=us-east-1'],

    versions,

    /** Of all objects and versions, delete markers left out. */
    async locks(): Promise<Lock[]> {
      const locks: Lock[] = []
      for (const one of await versions()) {
        const { Retention } = await client.send(new GetObjectRetentionCommand(version(one)))
        locks.push({ ...one, mode: Retention?.Mode, untilMs: Retention?.RetainUntilDate?.getTime() ?? 0 })
      }
      return locks
    },

    async markers(): Promise<ObjectVersion[]> {
      const { DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }))
      return DeleteMarkers.map(({ Key = '', VersionId = '' }) => ({ key: Key, versionId: VersionId }))
    },

    /** What everything that is put gets, whoever puts it and whatever he says. */
    async lockByDefault(mode: 'GOVERNANCE' | 'COMPLIANCE', days: number): Promise<void> {
      const rule = { DefaultRetention: { Mode: mode, Days: days } }
      const configuration = { ObjectLockEnabled: 'Enabled', Rule: rule } as const
      await client.send(
        new PutObjectLockConfigurationCommand({ Bucket: bucket, ObjectLockConfiguration: configuration }),
      )
    },

    destroy: (one: ObjectVersion, { bypass = false } = {}) =>
      outcome(client.send(new DeleteObjectCommand({ ...version(one), ...(bypass && BYPASS) }))),

    shorten: (one: ObjectVersion, mode: 'GOVERNANCE' | 'COMPLIANCE') =>
      outcome(
        client.send(
          new PutObjectRetentionCommand({
            ...version(one),
            Retention: { Mode: mode, RetainUntilDate: new Date(Date.now() + 60_000) },
          }),
        ),
      ),

    overwrite: (key: string, { ifNew }: { readonly ifNew: boolean }) =>
      outcome(
        client.send(new PutObjectCommand({ ...at(key), Body: 'something else', ...(ifNew && { IfNoneMatch: '*' }) })),
      ),

    hide: (key: string) => outcome(client.send(new DeleteObjectCommand(at(key)))),

    bytesOf: async (one: ObjectVersion) => (await client.send(new HeadObjectCommand(version(one)))).ContentLength,

    async [Symbol.asyncDispose]() {
      client.destroy()
      await server[Symbol.asyncDispose]()
    },
  }

  async function versions(): Promise<ObjectVersion[]> {
    const { Versions = [], IsTruncated } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }))
    if (IsTruncated === true) throw new Error('there are more than one page tells')
    return Versions.map(({ Key = '', VersionId = '' }) => ({ key: Key, versionId: VersionId }))
  }
}

const BYPASS = { BypassGovernanceRetention: true }

/** `done`, or by which name the server refused. */
async function outcome(request: Promise<unknown>): Promise<string> {
  try {
    await request
    return 'done'
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}
