import { createSecureContext } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
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
        // A certificate whose key is not there yet cannot be used.
        createSecureContext(fresh)
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
