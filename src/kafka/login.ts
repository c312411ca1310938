import type { Clock } from '../runtime/clock.ts'
import type { SaslOptions } from './sasl.ts'
import { askForToken } from './tokens/client-credentials.ts'
import { keptToken } from './tokens/kept-token.ts'
import type { Token } from './tokens/kept-token.ts'
import { signToken } from './tokens/msk-iam.ts'

export interface LoginDeps {
  readonly clock: Clock
  /** Options of node:tls for the authorization server. */
  readonly tls: () => object
  /** Host names of the brokers to begin with. */
  readonly brokers: readonly string[]
  readonly hide: (secret: string) => void
}

/** A mechanism in kafkajs' form. Tokens are fetched when a connection logs in, and kept until they are about to end. */
export function loginOf(sasl: SaslOptions, { clock, tls, brokers, hide }: LoginDeps): object {
  switch (sasl.mechanism) {
    case 'oauthbearer':
      return bearer(() => askForToken(sasl, tls(), clock), clock, hide)
    case 'msk iam':
      return bearer(() => signToken(sasl, brokers), clock, hide)
    default:
      return sasl
  }
}

function bearer(ask: () => Promise<Token>, clock: Clock, hide: (secret: string) => void): object {
  const token = keptToken(async () => {
    const fresh = await ask()
    hide(fresh.value)
    return fresh
  }, clock)
  return { mechanism: 'oauthbearer', oauthBearerProvider: token }
}
