import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { CommandTable } from './commands/command-table.ts'
import { commandTable } from './commands/command-table.ts'
import { main, reportCrash } from './commands/main.ts'
import type { Ports } from './commands/ports.ts'
import type { Out, World } from './commands/world.ts'

/** Nothing should be left open when a command is over. If something is, say what, and go. */
const lingerMs = 2_000

/** For streams that are no terminal, and terminals that do not say. */
const defaultColumns = 100

export interface CliOverrides {
  /** Wraps the ports: the real commands over a world that fails. */
  readonly ports?: (ports: Ports) => Ports
  /** Other commands. */
  readonly commands?: CommandTable
}

/**
 * The only place that sees the process: its arguments, environment, streams, signals and exit code. The overrides are for
 * tests.
 */
export async function runCli({ ports = all => all, commands = commandTable }: CliOverrides = {}): Promise<void> {
  const world = worldOf(ports)
  process.on('uncaughtException', error => process.exit(reportCrash(error, world)))
  process.exitCode = await main(world, commands)
  setTimeout(() => {
    process.stderr.write(`maxbrod: something was left open: ${process.getActiveResourcesInfo().join(', ')}\n`)
    process.exit()
  }, lingerMs).unref()
}

function worldOf(wrap: (ports: Ports) => Ports): World {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    stdout: outOf(process.stdout),
    stderr: outOf(process.stderr),
    version: version(),
    runtime: `Node ${process.version.slice(1)}`,
    readFile: path => readFileSync(path, 'utf8'),
    onSignal(name, listener) {
      process.on(name, listener)
      return { [Symbol.dispose]: () => void process.off(name, listener) }
    },
    async ports() {
      const { systemPorts } = await import('./commands/system-ports.ts')
      return wrap(systemPorts)
    },
  }
}

function outOf(stream: NodeJS.WriteStream): Out {
  // Whoever read us is gone, or the disk of a log is full. There is nobody left to tell, and records to care for.
  stream.on('error', () => undefined)
  return {
    isTerminal: stream.isTTY,
    columns: () => (stream.isTTY && stream.columns > 0 ? stream.columns : defaultColumns),
    // Files, pipes and terminals are written synchronously here; Node does otherwise on Windows only.
    write: text => void stream.write(text),
  }
}

/** src/ and dist/ stand side by side, below package.json. */
function version(): string {
  const { version: of } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return of
}

if (import.meta.main) {
  // What V8 made of the sources is kept beside them: who may write there may change the program itself. Where that is nobody who
  // runs it, nothing is kept.
  enableCompileCache(fileURLToPath(new URL('../.cache/compile', import.meta.url)))
  await runCli()
}
