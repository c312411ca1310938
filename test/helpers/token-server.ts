import { once } from 'node:events'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Authority } from './certificates.ts'

/** An authorization server (RFC 6749, 4.4) whose tokens are JWTs without a signature, as a broker of a test takes them. */
export class TokenServer implements AsyncDisposable {
  /** Tokens there have been. */
  readonly tokens: string[] = []
  /** So many requests are answered with 503 first. */
  busy = 0
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(authority: Authority, client: { id: string; secret: string }): Promise<TokenServer> {
    const { key, certificate } = authority.certify('tokens', { ip: ['127.0.0.1'] })
    const expected = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`
    const server = createServer({ key, cert: certificate }, (request, response) => {
      void text(request).then(form => {
        if (self.busy-- > 0) return response.writeHead(503).end()
        const isRight = new URLSearchParams(form).get('grant_type') === 'client_credentials'
        if (request.headers.authorization !== expected || !isRight) {
          return response
            .writeHead(401)
            .end(JSON.stringify({ error: 'invalid_client', given: request.headers.authorization }))
        }
        const now = Math.floor(Date.now() / 1000)
        const token = unsigned({ sub: client.id, iat: now, exp: now + 3_600 })
        self.tokens.push(token)
        return response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 3_600 }))
      })
    })
    const self = new TokenServer(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return self
  }

  get granted(): number {
    return this.tokens.length
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** RFC 7519, section 6. */
function unsigned(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.`
}
