import type { DeleteObjectsCommandOutput, S3Client } from '@aws-sdk/client-s3'
import { DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import type { NotDeleted } from './port.ts'
import { until } from './s3-client.ts'
import { failureOf, isTemporaryName } from './s3-failure.ts'
import { s3Error } from './s3-errors.ts'
import type { S3Object } from './s3-get.ts'

/** One DeleteObject. In a bucket with versions it adds a delete marker, and the bytes stay until a lifecycle rule takes them. */
export async function deleteObject(client: S3Client, { bucket, name, call }: S3Object): Promise<void> {
  try {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: name }), until(call.signal))
  } catch (error) {
    throw s3Error(error, call)
  }
}

/** Objects that are asked for together. */
const HEADS = 32

/**
 * One DeleteObjects. What its answer names neither as deleted nor as refused is gone only if it `isThere` no more: a store may leave
 * out those that were missing before, and what stands between may answer anything. Throws STORAGE_UNREACHABLE when something is
 * still there, or one of them failed for the moment: then all may be asked for again.
 */
export async function deleteObjects(
  client: S3Client,
  bucket: string,
  objects: readonly S3Object[],
  isThere: (key: string) => Promise<boolean>,
): Promise<readonly NotDeleted[] | 'not implemented'> {
  const call = must(objects[0], 'an object to delete').call
  let answer: DeleteObjectsCommandOutput
  try {
    const command = new DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Objects: objects.map(({ name }) => ({ Key: name })), Quiet: false },
    })
    answer = await client.send(command, until(call.signal))
  } catch (error) {
    if (error instanceof Error && failureOf(error).status === 501) return 'not implemented'
    throw s3Error(error, call)
  }
  const keys = new Map(objects.map(({ name, call: { key } }) => [name, key]))
  const unable = (key: string, reason: string) =>
    new MaxbrodError('STORAGE_UNREACHABLE', `cannot delete ${key} at ${call.url}: ${reason}`, { key })
  const refused = (answer.Errors ?? []).map(({ Key: name = '', Code: code = 'Unknown', Message: message = '' }) => {
    const key = keys.get(name) ?? name
    const reason = message === '' ? code : `${code}: ${message}`
    if (isTemporaryName(code)) throw unable(key, reason)
    return { key, reason }
  })
  for (const { Key: name = '' } of [...(answer.Errors ?? []), ...(answer.Deleted ?? [])]) keys.delete(name)
  const heads = newLimit(HEADS)
  const unnamed = await Promise.all(
    [...keys.values()].map(key => heads(async () => ((await isThere(key)) ? [key] : []))),
  )
  const [first, ...more] = unnamed.flat()
  if (first !== undefined) throw unable(first, `the answer says nothing of it and of ${more.length} others`)
  return refused
}
