import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dice } from './seed.ts'

/** What becomes of a connection. Bytes are counted in both directions; where they stop, the dice say. */
export type TcpFault =
  /** Each piece arrives so much later. */
  | { readonly kind: 'delay'; readonly ms: readonly [min: number, max: number] }
  /** At the byte, both ends get a reset. */
  | { readonly kind: 'cut'; readonly bytes: readonly [min: number, max: number] }
  /** At the byte, the client is told that the server has no more to say, and may go on talking to nobody. */
  | { readonly kind: 'half-close'; readonly bytes: readonly [min: number, max: number] }
  /** Pieces of at most a tenth of a second's share. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** From the byte on, nothing arrives, and nobody is told. */
  | { readonly kind: 'black hole'; readonly bytes: readonly [min: number, max: number] }

/**
 * A network in front of a server that passes everything on, except for the connections that a fault is ordered for:
 * those are cut, slowed down or swallowed, where `dice` say.
 */
export class TcpFaults implements AsyncDisposable {
  readonly port: number
  /** So often did a fault happen to a connection. A test whose faults never fired proved nothing. */
  fired = 0
  /** How many connections there were. */
  connections = 0
  readonly #server: Server
  readonly #dice: Dice
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>()
  #target = 0
  #fault: TcpFault | undefined

  private constructor(server: Server, dice: Dice) {
    this.#server = server
    this.#dice = dice
    this.port = (server.address() as AddressInfo).port
    server.on('connection', client => this.#accept(client))
  }

  static async start(dice: Dice): Promise<TcpFaults> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TcpFaults(server, dice)
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Where connections go, as `host:port`. */
  set target(address: string) {
    this.#target = Number(address.split(':')[1])
  }

  /** All connections from now on meet the fault; those that there are end, so that there are new ones. */
  order(fault: TcpFault): void {
    this.#fault = fault
    this.#drop()
  }

  /** From now on nothing happens to new connections; those that met a fault end. */
  heal(): void {
    this.#fault = undefined
    this.#drop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#drop()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #drop(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  #accept(client: Socket): void {
    this.connections++
    const server = connect({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true, noDelay: true })
    client.setNoDelay(true)
    const pair = [client, server] as const
    this.#pairs.add(pair)
    for (const [socket, peer] of [pair, [server, client] as const]) {
      socket.on('error', () => peer.destroy())
      socket.on('close', () => {
        peer.destroy()
        this.#pairs.delete(pair)
      })
    }
    const line = new Line(client, server, this.#fault, this.#dice, () => (this.fired += 1))
    void line.pass(client, server)
    void line.pass(server, client)
  }
}

/** One connection through the proxy. */
class Line {
  readonly #client: Socket
  readonly #server: Socket
  readonly #fault: TcpFault | undefined
  readonly #dice: Dice
  readonly #fired: () => void
  #left: number
  #hasFired = false

  constructor(client: Socket, server: Socket, fault: TcpFault | undefined, dice: Dice, fired: () => void) {
    this.#client = client
    this.#server = server
    this.#fault = fault
    this.#dice = dice
    this.#fired = fired
    this.#left = fault !== undefined && 'bytes' in fault ? dice.between(fault.bytes[0], fault.bytes[1]) : Infinity
  }

  async pass(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        for (const part of this.#parts(piece)) {
          await this.#wait(part)
          if (this.#left <= 0) {
            if (this.#end()) return
            continue
          }
          this.#left -= part.length
          if (!to.write(part)) await once(to, 'drain')
        }
      }
      if (this.#left > 0) to.end()
    } catch {
      // The other direction, or the test, has ended the connection.
    }
  }

  #parts(piece: Buffer): Buffer[] {
    if (this.#left > 0 && this.#left < piece.length) return [piece.subarray(0, this.#left), piece.subarray(this.#left)]
    if (this.#fault?.kind !== 'throttle') return [piece]
    const size = Math.max(1, Math.floor(this.#fault.bytesPerSecond / 10))
    return Array.from({ length: Math.ceil(piece.length / size) }, (_, n) => piece.subarray(n * size, (n + 1) * size))
  }

  async #wait(part: Buffer): Promise<void> {
    const fault = this.#fault
    if (fault?.kind === 'delay') {
      this.#count()
      await sleep(this.#dice.between(fault.ms[0], fault.ms[1]))
    }
    if (fault?.kind === 'throttle') {
      this.#count()
      await sleep((part.length * 1_000) / fault.bytesPerSecond)
    }
  }

  /** True when nothing more is read. */
  #end(): boolean {
    this.#count()
    if (this.#fault?.kind === 'cut') {
      this.#client.resetAndDestroy()
      this.#server.resetAndDestroy()
      return true
    }
    // What comes is read and forgotten, so that its sender notices nothing.
    if (this.#fault?.kind === 'half-close') this.#client.end()
    return false
  }

  #count(): void {
    if (!this.#hasFired) this.#fired()
    this.#hasFired = true
  }
}
