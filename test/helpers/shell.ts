import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { tethered } from './tether.ts'

/** A shell that somebody types into: what one command sets, the next one has. */
export class Shell implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #ended: Promise<unknown>
  readonly #marker = `end-${Math.random().toString(36).slice(2)}`
  #output = ''
  #wake = () => {}

  constructor(cwd: string, env: Readonly<Record<string, string>>) {
    // A group of its own, so that what it left running ends with it.
    this.#process = spawn(...tethered('sh', []), { cwd, env, detached: true })
    this.#ended = once(this.#process, 'close').then(() => this.#wake())
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        this.#wake()
      })
    this.#process.stdin.on('error', () => {}).write('exec 2>&1\n')
  }

  /** Runs a command to its end; what it printed to both outputs is in the order of printing. */
  async run(command: string): Promise<{ readonly exit: number; readonly output: string }> {
    this.#output = ''
    this.#process.stdin.write(`{ ${command}\n} </dev/null\nprintf '\\n${this.#marker} %s\\n' $?\n`)
    const end = new RegExp(`\\n${this.#marker} (\\d+)\\n`)
    for (;;) {
      const found = end.exec(this.#output)
      if (found !== null) return { exit: Number(found[1]), output: this.#output.slice(0, found.index) }
      if (this.#process.exitCode !== null || this.#process.signalCode !== null)
        return { exit: this.#process.exitCode ?? -1, output: this.#output }
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#process
    if (pid !== undefined && this.#process.exitCode === null) process.kill(-pid, 'SIGKILL')
    await this.#ended
  }
}
