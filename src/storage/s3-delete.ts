import type { DeleteObjectsCommandOutput, S3Client } from '@aws-sdk/client-s3'
import { DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3'
import { MaxbrodError } from '../runtime/errors.ts'
import type { NotDeleted } from './port.ts'
import { until } from './s3-client.ts'
import type { S3Call } from './s3-failure.ts'
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

/** One DeleteObjects. Throws STORAGE_UNREACHABLE when one of them failed for the moment: then all may be asked for again. */
export async function deleteObjects(
  client: S3Client,
  bucket: string,
  objects: readonly S3Object[],
  call: S3Call,
): Promise<readonly NotDeleted[] | 'not implemented'> {
  let answer: DeleteObjectsCommandOutput
  try {
    const command = new DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Objects: objects.map(({ name }) => ({ Key: name })), Quiet: true },
    })
    answer = await client.send(command, until(call.signal))
  } catch (error) {
    if (error instanceof Error && failureOf(error).status === 501) return 'not implemented'
    throw s3Error(error, call)
  }
  const keys = new Map(objects.map(({ name, call: { key } }) => [name, key]))
  return (answer.Errors ?? []).map(({ Key: name = '', Code: code = 'Unknown', Message: message = '' }) => {
    const key = keys.get(name) ?? name
    const reason = message === '' ? code : `${code}: ${message}`
    if (isTemporaryName(code))
      throw new MaxbrodError('STORAGE_UNREACHABLE', `cannot delete ${key} at ${call.url}: ${reason}`, { key })
    return { key, reason }
  })
}
