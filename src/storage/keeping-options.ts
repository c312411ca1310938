import { duration } from '../config/kinds-of-number.ts'
import { choice, text } from '../config/kinds-of-text.ts'
import { one } from '../config/option.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { storageClassKind } from '../config/storage-class.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { StoragePlace } from './storage-url.ts'

/** How S3 is to keep all that a command puts. */
export const keepingOptions = section(
  'keeping',
  {
    objectLock: choice(['governance', 'compliance'], {
      isAdvanced: true,
      doc: 'Lock every object that is put, for as long as --retain says. The bucket must have been created with object lock. See docs/security.md.',
    }),
    retain: duration({
      min: '1m',
      isAdvanced: true,
      doc: 'How long --object-lock holds, from the moment an object is put.',
    }),
    sse: choice(['AES256', 'aws:kms', 'aws:kms:dsse'], {
      isAdvanced: true,
      doc: 'Have the store encrypt every object that is put. Without it, the default of the bucket counts.',
    }),
    sseKmsKeyId: text({
      placeholder: 'KEY',
      isAdvanced: true,
      doc: 'Key for --sse aws:kms: its id, ARN or alias. Without it the one that the account has for S3.',
    }),
    storageClass: one(storageClassKind, {
      isAdvanced: true,
      doc: 'Storage class of every object that is put: STANDARD_IA. For single topics see --topic-rules of maxbrod backup.',
    }),
  },
  { heading: 'Storage' },
)

export type KeepingOptions = Values<typeof keepingOptions>

/** Throws USAGE for wishes that contradict each other, or that the store cannot know. */
export function checkKeeping(options: Partial<KeepingOptions>, { kind }: StoragePlace): void {
  const { objectLock, retain, sse, sseKmsKeyId, storageClass } = options
  if (objectLock !== undefined && retain === undefined)
    throw usage('--object-lock does not say for how long', 'add --retain 30d')
  if (objectLock === undefined && retain !== undefined)
    throw usage('--retain locks nothing by itself', 'add --object-lock governance, or compliance')
  if (sseKmsKeyId !== undefined && sse?.startsWith('aws:kms') !== true)
    throw usage('--sse-kms-key-id is a key for KMS', 'add --sse aws:kms')
  if (kind === 's3') return
  const [named] = Object.entries({ 'object-lock': objectLock, sse, 'storage-class': storageClass }).flatMap(
    ([flag, value]) => (value === undefined ? [] : [flag]),
  )
  if (named !== undefined) throw usage(`--${named} means nothing to a folder`, 'leave it out, or use an S3 bucket')
}

function usage(message: string, hint: string): MaxbrodError {
  return new MaxbrodError('USAGE', message, { hint })
}
