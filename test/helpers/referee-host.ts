import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { javaArguments, javaProgram } from '../servers/jars.ts'
import { eventually } from './eventually.ts'
import { answers, freePorts } from './ports.ts'
import { endServer } from './server-process.ts'
import { tethered } from './tether.ts'

/** Names the port of a process in which `Referee.start` finds a referee, instead of one of its own. */
export const refereePortVariable = 'MAXBROD_TEST_REFEREES'

/** One JVM with the referees of many test files: a start of its own costs each of them two seconds of CPU time (measured). */
export class RefereeHost implements AsyncDisposable {
  readonly port: number
  readonly logFile: string
  readonly #folder: string
  readonly #process: ChildProcess

  private constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
    this.logFile = join(folder, 'referees.log')
    const log = openSync(this.logFile, 'a')
    const args = javaArguments({
      classPath: 'kafka',
      main: 'maxbrod.Referees',
      heapMiB: 1_536,
      flags: ['-XX:TieredStopAtLevel=1'],
      args: [`${port}`],
    })
    this.#process = spawn(...tethered(javaProgram(), args), { stdio: ['pipe', log, log] })
    closeSync(log)
  }

  /** Resolves when it listens. */
  static async start(): Promise<RefereeHost> {
    const [port = 0] = await freePorts(1)
    const host = new RefereeHost(port, await mkdtemp(join(tmpdir(), 'maxbrod-referees-')))
    await eventually('the referees listen', () => answers(port), { timeoutMs: 60_000 })
    return host
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endServer(this.#process, 'SIGKILL')
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
