import type { ErrorCode } from '../runtime/error-codes.ts'
import { isTemporary } from './s3-failure.ts'
import type { S3Call, S3Failure } from './s3-failure.ts'

export const NO_S3_HINT = 'is this an S3 endpoint? check --s3-endpoint, http:// or https:// included'

interface Verdict {
  readonly code: ErrorCode
  readonly hint?: string | undefined
}

/** What a failure is for who asked, and what can be done about it. */
export function judge(failure: S3Failure, call: S3Call): Verdict {
  const { name, system, status, region } = failure
  if (name === 'NoSuchBucket')
    return { code: 'BACKUP_NOT_FOUND', hint: 'create the bucket, or correct its name in --storage' }
  if (system !== undefined && isTls(system)) return { code: 'STORAGE_REFUSED', hint: tlsHint(system) }
  if (system?.startsWith('HPE_') === true) {
    return {
      code: 'STORAGE_REFUSED',
      hint: 'this is not HTTP; if the endpoint speaks TLS, write https:// in --s3-endpoint',
    }
  }
  if (isTemporary(failure)) return { code: 'STORAGE_UNREACHABLE', hint: temporaryHint(failure) }
  if (region !== undefined && (status === 301 || status === 400)) {
    return { code: 'STORAGE_REFUSED', hint: `the bucket is in another region: --s3-region ${region}` }
  }
  // The SDK's own words: none was found, or one that is no name, as an AWS_REGION that is set and empty.
  if (/^Region (is missing|not accepted)/.test(failure.message)) {
    return { code: 'USAGE', hint: 'name the region of the bucket with --s3-region (AWS_REGION)' }
  }
  if (NO_CREDENTIALS.has(name)) {
    return { code: 'STORAGE_AUTH', hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE' }
  }
  if (name === 'InvalidObjectState') {
    return {
      code: 'STORAGE_REFUSED',
      hint: 'the object is archived (Glacier); bring it back into a readable storage class',
    }
  }
  if (status === 401 || status === 403) return { code: 'STORAGE_AUTH', hint: rightsHint(name, call) }
  if (name.startsWith('KMS.'))
    return { code: 'STORAGE_REFUSED', hint: 'is it a key that is there, and enabled? correct --sse-kms-key-id' }
  if (name === 'InvalidStorageClass')
    return { code: 'STORAGE_REFUSED', hint: 'correct --storage-class, or storage-class in --topic-rules' }
  if (status === 400 && call.hasLock === true && /lock|retention|retain/i.test(failure.message))
    return { code: 'STORAGE_REFUSED', hint: 'create the bucket with object lock, or leave --object-lock out' }
  if (status === 501 && wishOf(call) !== undefined) return { code: 'STORAGE_REFUSED', hint: wishHint(call) }
  if (status === 501 && call.hasTags === true)
    return {
      code: 'STORAGE_REFUSED',
      hint: 'if it is tags that this store does not know, leave them out of --topic-rules',
    }
  if (status === 501 && call.verb === 'put') {
    return {
      code: 'STORAGE_UNCONDITIONAL',
      hint: 'if it is If-None-Match that this store does not know: --allow-unconditional-put, with one worker only',
    }
  }
  // An answer that is not XML, or names no error of S3.
  if (name === 'Error' || name === 'Unknown') {
    return { code: 'STORAGE_REFUSED', hint: NO_S3_HINT }
  }
  return { code: 'STORAGE_REFUSED', hint: wishHint(call) }
}

/** What not every store knows. */
function wishOf({ hasLock, hasEncryption }: S3Call): string | undefined {
  return hasLock === true ? '--object-lock' : hasEncryption === true ? '--sse' : undefined
}

function wishHint(call: S3Call): string | undefined {
  const wish = wishOf(call)
  return wish === undefined ? undefined : `if it is ${wish} that this store does not know, leave it out`
}

function temporaryHint({ name, system, status }: S3Failure): string {
  if (name === 'RequestTimeTooSkewed') return 'set the clock of this machine'
  if (name === 'ExpiredToken') return 'renew the session token of the credentials'
  if (name === 'SlowDown' || status === 429) return 'the store asks for fewer requests; it gets slower by itself'
  if (system === 'ENOTFOUND')
    return 'check the host in --s3-endpoint, at AWS --s3-region (AWS_REGION); nobody knows that name'
  if (status === undefined)
    return 'check --s3-endpoint, http:// or https:// included, at AWS --s3-region (AWS_REGION), and the network'
  return 'the store has a problem; nothing is lost, start again later'
}

function rightsHint(name: string, { verb, hasTags, hasLock, hasEncryption }: S3Call): string {
  if (name === 'SignatureDoesNotMatch') return 'the secret access key does not belong to the access key id'
  if (name === 'InvalidAccessKeyId') return 'the store does not know this access key id; check AWS_ACCESS_KEY_ID'
  const right = {
    put: 's3:PutObject',
    get: 's3:GetObject',
    head: 's3:GetObject',
    list: 's3:ListBucket',
    delete: 's3:DeleteObject',
  }
  const missing =
    verb === 'get' || verb === 'head' ? ' and s3:ListBucket, without which a missing object is refused, too' : ''
  const more = [
    hasTags === true ? ' and s3:PutObjectTagging' : '',
    hasLock === true ? ' and s3:PutObjectRetention' : '',
    hasEncryption === true ? ', and those for its key' : '',
  ].join('')
  return `the credentials need ${right[verb]}${more === '' ? missing : more}`
}

const NO_CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError'])

function isTls(system: string): boolean {
  return system === 'EPROTO' || /^ERR_(?:TLS|SSL)_|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(system)
}

function tlsHint(system: string): string {
  if (system === 'EPROTO' || system.startsWith('ERR_SSL_')) {
    return 'the endpoint does not speak TLS; if it is meant to be so, write http:// in --s3-endpoint'
  }
  if (system === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'the certificate is for another host; use its name in --s3-endpoint'
  return 'name the file with the certificate of the authority that signed it in NODE_EXTRA_CA_CERTS'
}
