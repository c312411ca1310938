import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { compileCache, root } from '../runner/files.ts'
import { tethered } from './tether.ts'

export interface CliOptions {
  /** What to start; default bin/maxbrod. A `.ts` file is run by this Node. */
  readonly program?: string
  /** Beside PATH, HOME and NODE_COMPILE_CACHE, the whole environment: a variable of the machine must not be an option. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface CliResult {
  /** Exit code, or the name of the signal that ended it. */
  readonly exit: number | string
  readonly stdout: string
  readonly stderr: string
}

/** A running maxbrod. */
export class Cli {
  readonly process: ChildProcessWithoutNullStreams
  readonly result: Promise<CliResult>
  #stdout = ''
  #stderr = ''

  constructor(argv: readonly string[], { program = join(root, 'bin/maxbrod'), env = {}, cwd = root }: CliOptions = {}) {
    const [command, args] = program.endsWith('.ts') ? [process.execPath, [program, ...argv]] : [program, argv]
    const { PATH = '', HOME = '' } = process.env
    this.process = spawn(...tethered(command, args), {
      cwd,
      env: { PATH, HOME, NODE_COMPILE_CACHE: compileCache, ...env },
    })
    this.process.stdin.end()
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.result = new Promise((resolve, reject) => {
      this.process.once('error', reject)
      this.process.once('close', (code, signal) =>
        resolve({ exit: code ?? signal ?? 'nothing', stdout: this.#stdout, stderr: this.#stderr }),
      )
    })
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#stdout + this.#stderr
  }
}

/** Runs maxbrod to its end. */
export function runCli(argv: readonly string[], options?: CliOptions): Promise<CliResult> {
  return new Cli(argv, options).result
}
