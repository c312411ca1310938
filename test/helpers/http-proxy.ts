import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'

/** A proxy as companies have them: it forwards http, and tunnels what follows CONNECT. It may want a user. */
export class HttpProxy implements AsyncDisposable {
  /** What it was asked for: `GET http://host/…`, `CONNECT host:port`. */
  readonly asked: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(user: string | undefined) {
    const expected = user === undefined ? undefined : `Basic ${Buffer.from(user).toString('base64')}`
    this.#server = createServer((incoming, answer) => {
      this.asked.push(`${incoming.method} ${incoming.url}`)
      if (expected !== undefined && incoming.headers['proxy-authorization'] !== expected)
        return answer.writeHead(407).end()
      const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = incoming.headers
      const outgoing = request(incoming.url ?? '', { method: incoming.method, headers }, theirs => {
        answer.writeHead(theirs.statusCode ?? 502, theirs.headers)
        theirs.pipe(answer)
      })
      outgoing.once('error', () => answer.destroy())
      return incoming.pipe(outgoing)
    })
    this.#server.on('connect', (incoming, socket: Socket) => {
      this.asked.push(`CONNECT ${incoming.url}`)
      if (expected !== undefined && incoming.headers['proxy-authorization'] !== expected)
        return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      const [host = '', port] = (incoming.url ?? '').split(':')
      const behind = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        socket.pipe(behind).pipe(socket)
      })
      for (const one of [socket, behind]) {
        this.#sockets.add(one)
        one.once('close', () => (this.#sockets.delete(one), socket.destroy(), behind.destroy()))
        one.on('error', () => one.destroy())
      }
      return undefined
    })
  }

  static async start(user?: string): Promise<HttpProxy> {
    const proxy = new HttpProxy(user)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
