import type { ErrorCode } from '../runtime/error-codes.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** What was asked of the store when it failed. */
export interface S3Call {
  readonly verb: 'put' | 'get' | 'head' | 'list' | 'delete'
  /** Key or prefix, as the caller of the port named it. */
  readonly key: string
  /** `s3://bucket/prefix` */
  readonly url: string
  readonly signal?: AbortSignal | undefined
  /** The object was to get tags, which not every store knows and not every user may set. */
  readonly hasTags?: boolean | undefined
  /** The object was to be locked. */
  readonly hasLock?: boolean | undefined
  /** The store was to encrypt it. */
  readonly hasEncryption?: boolean | undefined
}

/** What an error of the SDK or of the network says, without all that it carries: requests, headers, tokens. */
export interface S3Failure {
  /** `SlowDown`, `NoSuchKey`, …; the name of a JavaScript error when the store did not answer. */
  readonly name: string
  /** Of the system or of TLS: `ECONNREFUSED`. */
  readonly system: string | undefined
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined
  readonly message: string
  /** Where the bucket is, if the store said so. */
  readonly region: string | undefined
}

/** The error of the port for whatever a request threw. An abort becomes the signal's reason. */
export function s3Error(error: unknown, call: S3Call): unknown {
  if (call.signal?.aborted === true) return call.signal.reason
  if (!(error instanceof Error) || error instanceof MaxbrodError) return error
  const failure = failureOf(error)
  const { code, hint } = judge(failure, call)
  const { name, system, status, message } = failure
  const what = [name === 'Error' ? undefined : name, message]
    .filter(text => text !== undefined && text !== '')
    .join(': ')
  return new MaxbrodError(code, `${cannot(call)}: ${what}`, {
    key: call.key,
    url: call.url,
    ...(status === undefined ? {} : { status }),
    ...(system === undefined ? {} : { system }),
    hint,
    // No cause: the error holds the signed request, and answers that repeat a session token.
  })
}

/** For answers of success that lack what every S3 server says: a proxy's login page, a web server. */
export function noS3(call: S3Call): MaxbrodError {
  const { key, url } = call
  const message = `${cannot(call)}: the answer is not that of an S3 server`
  return new MaxbrodError('STORAGE_REFUSED', message, { key, url, hint: NO_S3_HINT })
}

function cannot({ verb, key, url }: S3Call): string {
  return key === '' ? `cannot ${verb} ${url}` : `cannot ${verb} ${key} at ${url}`
}

const NO_S3_HINT = 'is this an S3 endpoint? check --s3-endpoint, http:// or https:// included'

export function failureOf(error: Error): S3Failure {
  const { name, code, Region, $metadata, $response } = error as Error & {
    code?: unknown
    Region?: unknown
    $metadata?: { httpStatusCode?: number }
    $response?: { statusCode?: number; headers?: Record<string, string> }
  }
  const status = $metadata?.httpStatusCode ?? $response?.statusCode
  const region = $response?.headers?.['x-amz-bucket-region'] ?? (typeof Region === 'string' ? Region : undefined)
  return { name, system: typeof code === 'string' ? code : undefined, status, message: textOf(error), region }
}

/** Several addresses of one host make an AggregateError, whose message is empty. */
function textOf(error: Error): string {
  // The SDK's word for an answer without a body.
  if (error.message === 'UnknownError') return ''
  if (error instanceof AggregateError && error.message === '') return error.errors.map(String).join(', ')
  // What follows is advice for programmers of the SDK.
  return error.message.split('\n')[0] ?? ''
}

interface Verdict {
  readonly code: ErrorCode
  readonly hint?: string | undefined
}

function judge(failure: S3Failure, call: S3Call): Verdict {
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
  if (failure.message.startsWith('Region is missing')) {
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
    return {
      code: 'STORAGE_REFUSED',
      hint: 'is this an S3 endpoint? check --s3-endpoint, http:// or https:// included',
    }
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

/** Names that mean `later` although their status does not. */
const TEMPORARY_NAMES = new Set([
  'SlowDown',
  'RequestTimeout',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'OperationAborted',
  // Two writers at the same moment: the next attempt is told whether the key is taken.
  'ConditionalRequestConflict',
  // What arrived is not what was sent; it is sent again.
  'XAmzContentSHA256Mismatch',
  'BadDigest',
  'IncompleteBody',
  // The SDK learns the time from this answer, and asks for new credentials after this one.
  'RequestTimeTooSkewed',
  'ExpiredToken',
  'TimeoutError',
])

const TEMPORARY_SYSTEM = new Set(
  [
    'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH EHOSTDOWN',
    'ENETUNREACH ENETDOWN EADDRNOTAVAIL EMFILE ENFILE ERR_STREAM_PREMATURE_CLOSE',
  ].flatMap(line => line.split(' ')),
)

/** For errors of single objects, which come with a name and without a status. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAMES.has(name) || name === 'InternalError' || name === 'ServiceUnavailable'
}

function isTemporary({ name, system, status }: S3Failure): boolean {
  if (TEMPORARY_NAMES.has(name)) return true
  if (status === undefined) return system !== undefined && TEMPORARY_SYSTEM.has(system)
  return status === 408 || status === 409 || status === 429 || (status >= 500 && status !== 501)
}

function temporaryHint({ name, system, status }: S3Failure): string {
  if (name === 'RequestTimeTooSkewed') return 'set the clock of this machine'
  if (name === 'ExpiredToken') return 'renew the session token of the credentials'
  if (name === 'SlowDown' || status === 429) return 'the store asks for fewer requests; it gets slower by itself'
  if (system === 'ENOTFOUND') return 'check the host in --s3-endpoint, and --s3-region; nobody knows that name'
  if (status === undefined) return 'check --s3-endpoint, http:// or https:// included, and the network'
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
