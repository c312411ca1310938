import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** A conversation with a referee: commands go out as JSON lines, answers come back in any order. */
export class RefereeLine {
  readonly #output: Writable
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #ending: string | undefined

  constructor(input: Readable, output: Writable) {
    this.#output = output
    createInterface({ input }).on('line', line => this.#settle(JSON.parse(line) as Answer))
    // A write to a referee that has just gone fails the call it belongs to by `end`.
    output.on('error', () => undefined)
  }

  call<T>(command: string, args: object): Promise<T> {
    if (this.#ending !== undefined) return Promise.reject(new Error(this.#ending))
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#output.write(`${JSON.stringify({ id, command, ...args })}\n`)
    return waiting.promise as Promise<T>
  }

  /** Nobody answers any more. */
  end(why: string): void {
    this.#ending = why
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
    this.#waiting.clear()
  }

  #settle({ id, answer, error, type }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(answer)
    else waiting?.reject(new RefereeError(error, type ?? ''))
  }
}

/** An error of Kafka's clients; `type` is the name of its Java class, such as TopicExistsException. */
export class RefereeError extends Error {
  override readonly name = 'RefereeError'
  readonly type: string

  constructor(message: string, type: string) {
    super(`${type}: ${message}`)
    this.type = type
  }
}

interface Answer {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
  readonly type?: string
}
