import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tethered } from '../test/helpers/tether.ts'
import { peakOf } from './measure.ts'
import type { Measured } from './measure.ts'

export type Taken = Omit<Measured, 'stdout'>

/** What the kernel counts CPU time in, on every Linux of today (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100
const POLL_MS = 50
const LIMIT_MS = 15 * 60_000
const OUTPUT_CHARACTERS = 4000

/** A program that does not end by itself, measured from outside up to a moment that somebody else sees. */
export class Watched implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #command: string
  readonly #startedAt = performance.now()
  #output = ''
  #idleMs = 0

  private constructor(command: string, child: ChildProcess) {
    this.#command = command
    this.#child = child
    const keep = (text: string) => (this.#output = (this.#output + text).slice(-OUTPUT_CHARACTERS))
    child.stdout?.setEncoding('utf8').on('data', keep)
    child.stderr?.setEncoding('utf8').on('data', keep)
    child.once('error', error => keep(error.message))
  }

  static start(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Watched {
    const child = spawn(...tethered(command, args), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return new Watched(`${command} ${args.join(' ')}`, child)
  }

  /** Asks until the answer is true, and says what the program had taken then. Throws when it ends before. */
  async until(isDone: () => Promise<boolean>): Promise<Taken> {
    while (!(await isDone())) {
      if (this.#hasEnded()) throw new Error(`${this.#command} ended:\n${this.#output}`)
      if (performance.now() - this.#startedAt > LIMIT_MS) throw new Error(`${this.#command} hangs:\n${this.#output}`)
      await sleep(POLL_MS)
    }
    return this.#taken()
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Leaves a time out of the wall clock in which the program only waited for this one. */
  forgive(ms: number): void {
    this.#idleMs += ms
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded()) return
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
  }

  #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  #taken(): Taken {
    const pid = this.#child.pid ?? 0
    const wallSeconds = (performance.now() - this.#startedAt - this.#idleMs) / 1000
    // proc(5): fields 14 and 15, all threads; the second field, a name in brackets, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const userSeconds = Number(fields[11]) / TICKS_PER_SECOND
    const systemSeconds = Number(fields[12]) / TICKS_PER_SECOND
    return { wallSeconds, userSeconds, systemSeconds, cpuSeconds: userSeconds + systemSeconds, peakRssMiB: peakOf(pid) }
  }
}
