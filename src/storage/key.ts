import { MaxbrodError } from '../runtime/errors.ts'

/** Longest key that S3 takes, in bytes of UTF-8; the prefix of the storage URL counts, too. */
export const KEY_BYTES_MAX = 1024

/** First segments that the directory driver keeps for itself. Refused everywhere, so that every backup fits there. */
const RESERVED = ['@meta', '@tmp']

/**
 * Refuses what is not a key, before it touches a path or a URL: keys come from plans and listings as well, and `..` in
 * one must not leave the folder. Throws STORAGE_REFUSED.
 */
export function checkKey(key: string): void {
  const reason = whyNoKey(key)
  if (reason !== undefined) throw refused(key, reason)
}

/** The same for the beginning of a key: '' and what ends in `/` or inside a segment are fine. Throws STORAGE_REFUSED. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return
  // A prefix may end anywhere, so `.` may be the beginning of a good name; with one more letter it reads as a key.
  const reason = whyNoKey(`${prefix}x`)
  if (reason !== undefined) throw refused(prefix, reason)
}

/** The order of keys: that of their bytes in UTF-8. JavaScript's own differs beyond U+FFFF. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function whyNoKey(key: string): string | undefined {
  const segments = key.split('/')
  if (segments.includes('')) return 'it begins or ends with a slash, or has two in a row'
  if (segments.includes('.') || segments.includes('..')) return 'it has a segment that a path would not keep'
  // oxlint-disable-next-line no-control-regex -- these are what must not get into a path, a header or a terminal
  if (/[\x00-\x1f\x7f]/.test(key) || !key.isWellFormed()) return 'it has characters that are not text'
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `it is longer than ${KEY_BYTES_MAX} bytes`
  if (RESERVED.includes(segments[0] ?? '')) return `${segments[0]} is kept for internal use`
  return undefined
}

function refused(key: string, reason: string): MaxbrodError {
  return new MaxbrodError('STORAGE_REFUSED', `${JSON.stringify(key)} is not a key of an object: ${reason}`, { key })
}
