import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { javaArguments, javaProgram } from '../servers/jars.ts'
import { tethered } from './tether.ts'

/** The process behind the referee: commands go in as JSON lines, answers come back in any order. */
export class RefereeJvm {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #errors = ''

  /** `settings` are those of Kafka's clients. */
  constructor(settings: Readonly<Record<string, string>>) {
    const args = javaArguments({
      classPath: 'kafka',
      main: 'maxbrod.Referee',
      heapMiB: 768,
      flags: ['-XX:TieredStopAtLevel=1'], // it lives for seconds, like the brokers
      args: [JSON.stringify(settings)],
      isTethered: false,
    })
    const child = spawn(...tethered(javaProgram(), args), { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors = (this.#errors + text).slice(-8_000)))
    createInterface({ input: child.stdout }).on('line', line => this.#settle(JSON.parse(line) as Answer))
    child.once('exit', code => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the referee ended (${code}):\n${this.#errors}`))
      this.#waiting.clear()
    })
    // A write to a referee that has just died fails the call it belongs to by the exit above.
    child.stdin.on('error', () => undefined)
  }

  call<T>(command: string, args: object): Promise<T> {
    if (this.#hasEnded) return Promise.reject(new Error(`the referee has ended:\n${this.#errors}`))
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#child.stdin!.write(`${JSON.stringify({ id, command, ...args })}\n`)
    return waiting.promise as Promise<T>
  }

  async kill(): Promise<void> {
    if (this.#hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
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
