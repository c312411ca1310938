import { Unreadable } from '../config/unreadable.ts'
import { checkPrefix } from './key.ts'

/** What `--storage` names. */
export type StoragePlace =
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'directory'; readonly folder: string }

/** Longest prefix: the longest key of a topic has 520 bytes, and S3 takes 1024. */
const PREFIX_BYTES_MAX = 480

const FORMS = 'write s3://bucket/prefix or file:///folder'

/**
 * `s3://bucket/prefix`, `file:///folder`, `file://folder` from where the program runs, or just a path. What follows
 * `file://` is the path as the system has it: nothing is decoded. Throws Unreadable.
 */
export function parseStorageUrl(text: string): StoragePlace {
  const [, scheme, rest = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? []
  if (scheme === undefined) return directory(text, text)
  if (scheme === 'file') return directory(rest, text)
  if (scheme === 's3') return s3(rest, text)
  if (scheme === 'http' || scheme === 'https') {
    throw new Unreadable(
      `'${withoutUser(text)}' names a server`,
      'write s3://bucket/prefix, and the server in --s3-endpoint',
    )
  }
  throw new Unreadable(`'${withoutUser(text)}': there is no storage called ${scheme}://`, FORMS)
}

/** The text that names the place. */
export function storageUrl(place: StoragePlace): string {
  if (place.kind === 'directory') return `file://${place.folder}`
  return `s3://${place.bucket}${place.prefix === '' ? '' : `/${place.prefix}`}`
}

/** The place that holds this one, if there is any: a prefix or a folder less. */
export function placeAbove(place: StoragePlace): StoragePlace | undefined {
  const path = place.kind === 'directory' ? place.folder.replace(/\/+$/, '') : place.prefix
  if (path === '') return undefined
  const above = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  if (place.kind === 's3') return { ...place, prefix: above }
  return { kind: 'directory', folder: above === '' ? (path.startsWith('/') ? '/' : '.') : above }
}

/** A place inside of another. */
export function placeBelow(place: StoragePlace, name: string): StoragePlace {
  if (place.kind === 's3') return { ...place, prefix: place.prefix === '' ? name : `${place.prefix}/${name}` }
  return { ...place, folder: `${place.folder.replace(/\/+$/, '')}/${name}` }
}

/** `https://host:port`, as S3 clients take it. Throws Unreadable. */
export function parseEndpoint(text: string): string {
  return parseAddress(text, {
    called: 'an endpoint',
    example: 'https://s3.example.com',
    credentials: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  })
}

/** Throws Unreadable. */
export function parseProxy(text: string): string {
  return parseAddress(text, {
    called: 'a proxy',
    example: 'http://proxy.example.com:3128',
    credentials: 'set --s3-proxy-user and S3_PROXY_PASSWORD',
  })
}

function parseAddress(
  text: string,
  { called, example, credentials }: { readonly called: string; readonly example: string; readonly credentials: string },
): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new Unreadable(
      `'${withoutUser(text)}' is not an address with http:// or https://`,
      `write it like ${example}`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new Unreadable(`${called} holds no credentials`, credentials)
  }
  if (url.search !== '' || url.hash !== '') throw new Unreadable(`'${text}' has more than an address`)
  return text.replace(/\/+$/, '')
}

/** True for traffic that others on the way can read. */
export function isPlainHttp(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint)
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

function directory(folder: string, text: string): StoragePlace {
  if (folder === '') throw new Unreadable(`'${text}' names no folder`, FORMS)
  if (folder.includes('\0')) throw new Unreadable('a path has no zero bytes')
  return { kind: 'directory', folder }
}

function s3(rest: string, text: string): StoragePlace {
  const [bucket = '', ...segments] = rest.split('/')
  if (bucket === '') throw new Unreadable(`'${withoutUser(text)}' names no bucket`, 'write s3://bucket/prefix')
  // Half of all secret keys have a slash.
  const hasCredentials = bucket.includes('@') || (bucket.includes(':') && rest.includes('@'))
  if (hasCredentials) {
    throw new Unreadable('a storage URL holds no credentials', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket))
    throw new Unreadable(`'${bucket}' is not the name of a bucket`)
  const prefix = segments.join('/').replaceAll(/^\/+|\/+$/g, '')
  if (Buffer.byteLength(prefix) > PREFIX_BYTES_MAX) {
    throw new Unreadable(`the prefix is longer than ${PREFIX_BYTES_MAX} bytes`, 'the keys below it must fit into 1024')
  }
  try {
    if (prefix !== '') checkPrefix(`${prefix}/`)
  } catch {
    throw new Unreadable(`'${prefix}' is no prefix: an empty segment, or one that means another folder`, FORMS)
  }
  return { kind: 's3', bucket, prefix }
}

/** What somebody may have written between `//` and `@` must not be repeated in a message. */
function withoutUser(text: string): string {
  return text.replace(/\/\/.*@/s, '//')
}
