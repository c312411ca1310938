import { createSecureContext } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { checkAuthorities } from '../runtime/certificates.ts'
import { messageOf } from '../runtime/errors.ts'
import type { TlsOptions } from './client-properties.ts'

export interface FreshTlsDeps {
  /** What the files say now, read anew; null when they no longer ask for TLS. May throw. */
  readonly read: () => TlsOptions | null
  readonly onChanged: () => void
  /** They are half written, or gone: what was good goes on. Told once until they are good again. */
  readonly onUnusable: (error: unknown) => void
}

/**
 * The certificates for a connection that is about to be opened. Whoever renews certificates replaces files while we run, one
 * after the other: connections that are open stay, and each new one has what the files say by then.
 */
export function freshTls(first: TlsOptions, { read, onChanged, onUnusable }: FreshTlsDeps): () => TlsOptions {
  let good = first
  let isTold = false
  return () => {
    try {
      const fresh = read()
      if (fresh !== null && !isDeepStrictEqual(fresh, good)) {
        checkTls(fresh)
        good = fresh
        onChanged()
      }
      isTold = false
    } catch (error) {
      if (!isTold) onUnusable(error)
      isTold = true
    }
    return good
  }
}

/** Throws when no connection can come about with them, or with others than those that were meant. */
export function checkTls(tls: TlsOptions): void {
  try {
    if (tls.ca !== undefined) checkAuthorities(tls.ca)
  } catch (cause) {
    throw new Error(`the authorities to trust: ${messageOf(cause)}`, { cause })
  }
  // Node takes an empty text for none.
  if (tls.cert === '') throw new Error('the own certificate is empty')
  if (tls.key === '') throw new Error('the own key is empty')
  // A certificate whose key is not there yet cannot be used.
  createSecureContext(tls)
}
