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

export function isTemporary({ name, system, status }: S3Failure): boolean {
  if (TEMPORARY_NAMES.has(name)) return true
  if (status === undefined) return system !== undefined && TEMPORARY_SYSTEM.has(system)
  return status === 408 || status === 409 || status === 429 || (status >= 500 && status !== 501)
}
