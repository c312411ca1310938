import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { javaArguments, javaProgram } from '../servers/jars.ts'
import { RefereeLine } from './referee-line.ts'
import { tethered } from './tether.ts'

/** Where a referee is, and how it goes. */
export interface RefereePlace {
  readonly line: RefereeLine
  /** What it had open stays open at the broker. */
  kill(): Promise<void>
}

/** In a process of its own. `settings` are those of Kafka's clients. */
export function refereeInJvm(settings: Readonly<Record<string, string>>): RefereePlace {
  const args = javaArguments({
    classPath: 'kafka',
    main: 'maxbrod.Referee',
    heapMiB: 768,
    flags: ['-XX:TieredStopAtLevel=1'], // it lives for seconds, like the brokers
    args: [JSON.stringify(settings)],
    isTethered: false,
  })
  const child = spawn(...tethered(javaProgram(), args), { stdio: ['pipe', 'pipe', 'pipe'] })
  const line = new RefereeLine(child.stdout, child.stdin)
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-8_000)))
  child.once('exit', code => line.end(`the referee ended (${code}):\n${errors}`))
  return {
    line,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** In the process that all test files of a run share (referee-host.ts). */
export function refereeAt(port: number, settings: Readonly<Record<string, string>>): RefereePlace {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.write(`${JSON.stringify(settings)}\n`)
  const line = new RefereeLine(socket, socket)
  const closed = new Promise<void>(resolve =>
    socket.once('close', () => {
      line.end('the shared referee has hung up')
      resolve()
    }),
  )
  return {
    line,
    async kill() {
      socket.destroy()
      await closed
    },
  }
}
