import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Cli } from '../test/helpers/cli.ts'

/** Executors of one restore, each a process with a log of its own. */
export class Fleet {
  readonly #args: readonly string[]
  readonly #folder: string
  readonly #running = new Map<number, Cli>()

  constructor(args: readonly string[], folder: string) {
    this.#args = args
    this.#folder = folder
  }

  /** Starts executor number `n`, again if it died. */
  start(n: number): void {
    const cli = new Cli(this.#args, { cwd: this.#folder })
    const log = createWriteStream(this.logFile(n), { flags: 'a' })
    cli.process.stderr.pipe(log)
    this.#running.set(n, cli)
  }

  /** Ends it as a power cut does: it hears nothing of it. */
  async kill9(n: number): Promise<void> {
    const cli = this.#running.get(n)
    cli?.process.kill('SIGKILL')
    const result = await cli?.result
    if (result?.exit !== 'SIGKILL') throw new Error(`executor ${n} ended before it was killed: ${result?.stderr}`)
  }

  /** Waits for the end of all executors that run; says how many records each of them sent. Throws when one failed. */
  async recordsSent(): Promise<Map<number, number>> {
    const sent = new Map<number, number>()
    for (const [n, { result }] of this.#running) {
      const { exit, stdout, stderr } = await result
      if (exit !== 0) throw new Error(`executor ${n} ended with ${exit}:\n${stdout}${stderr}`)
      sent.set(n, (JSON.parse(stdout) as { recordsSent: number }).recordsSent)
    }
    return sent
  }

  logFile(n: number): string {
    return join(this.#folder, `executor-${n}.log`)
  }
}
