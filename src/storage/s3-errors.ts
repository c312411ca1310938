import { MaxbrodError } from '../runtime/errors.ts'
import { failureOf } from './s3-failure.ts'
import type { S3Call } from './s3-failure.ts'
import { NO_S3_HINT, judge } from './s3-verdict.ts'

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
