import { readFileSync } from 'node:fs'
import { checkAuthorities } from '../runtime/certificates.ts'
import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import type { StorageOptions } from './options.ts'
import type { S3Place } from './s3-client.ts'
import type { HttpRoute } from './s3-http.ts'
import type { StoragePlace } from './storage-url.ts'

/** The bucket, and the way to it. Throws USAGE. */
export function s3Route(
  { bucket, prefix }: Extract<StoragePlace, { kind: 's3' }>,
  options: Pick<StorageOptions, 's3Endpoint' | 's3Region' | 's3CaCert' | 's3Proxy' | 's3ProxyUser' | 's3ProxyPassword'>,
): S3Place & HttpRoute {
  const { s3Endpoint: endpoint, s3Region: region, s3CaCert } = options
  const ca = s3CaCert === undefined ? undefined : readCertificates(s3CaCert)
  return { bucket, prefix, endpoint, region, ca, proxy: proxyUrl(options) }
}

function readCertificates(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8')
    checkAuthorities(pem)
    return pem
  } catch (cause) {
    throw new MaxbrodError('USAGE', `--s3-ca-cert: ${messageOf(cause)}`, { cause, path })
  }
}

function proxyUrl({
  s3Proxy,
  s3ProxyUser: user,
  s3ProxyPassword: password,
}: Pick<StorageOptions, 's3Proxy' | 's3ProxyUser' | 's3ProxyPassword'>): string | undefined {
  if (s3Proxy === undefined || user === undefined) return s3Proxy
  const url = new URL(s3Proxy)
  url.username = user
  url.password = password?.reveal() ?? ''
  return url.href.replace(/\/$/, '')
}
