import type { Clock } from '../../runtime/clock.ts'

export interface Token {
  readonly value: string
  /** ms since 1970. */
  readonly expiresAtMs: number
}

/** Before it ends: a login on the way must not meet its end, and clocks differ. */
const RENEW_BEFORE_MS = 60_000

/** Gives one token to all connections, and asks for the next one when it is about to end. Those who wait together ask once. */
export function keptToken(ask: () => Promise<Token>, clock: Clock): () => Promise<Token> {
  let kept: Token | undefined
  let asking: Promise<Token> | undefined
  return () => {
    if (kept !== undefined && clock.now() < kept.expiresAtMs - RENEW_BEFORE_MS) return Promise.resolve(kept)
    asking ??= ask()
      .then(token => (kept = token))
      .finally(() => (asking = undefined))
    return asking
  }
}
