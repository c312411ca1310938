import { MaxbrodError } from '../runtime/errors.ts'

/** Throws OBJECT_CHANGED when an object is not the one that the reader wants. */
export function requireEtag(key: string, etag: string, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch === etag) return
  throw objectChanged(key, ifMatch, etag)
}

/** `found` is undefined when the store only said no. */
export function objectChanged(key: string, expected: string | undefined, found?: string): MaxbrodError {
  const now = found === undefined ? '' : ` and not ${found}`
  return new MaxbrodError('OBJECT_CHANGED', `${key} was replaced: its ETag should be ${expected}${now}`, {
    key,
    expected,
    found,
    hint: 'objects of a backup are never rewritten; find out who did',
  })
}
