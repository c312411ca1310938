import { commandTable } from '../../src/commands/command-table.ts'
import { main } from '../../src/commands/main.ts'
import type { Ports } from '../../src/commands/ports.ts'
import { systemPorts } from '../../src/commands/system-ports.ts'
import type { SignalName } from '../../src/commands/world.ts'

export interface CommandResult {
  readonly exit: number
  readonly stdout: string
  /** The log, one JSON line each, and what was said about an error. */
  readonly stderr: string
  /** The document of `-o json`. */
  readonly json: Record<string, unknown>
}

/** What a test may do to a command that runs in its own process. */
export interface RunningCommand {
  readonly result: Promise<CommandResult>
  /** What it has printed so far. */
  readonly output: () => string
  /** As if the process had got the signal. */
  signal(name: SignalName): void
}

/**
 * A real command, from its flags to its exit code, without the price of a process: for all that need not die. `ports` wraps
 * the world that it meets. `-o json` is added.
 */
export function startCommand(argv: readonly string[], ports: (real: Ports) => Ports = real => real): RunningCommand {
  return start([...argv, '--output', 'json'], { ports, isTerminal: false, env: {} })
}

/** Runs a command to its end with these variables. */
export function runWith(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandResult> {
  return start([...argv, '--output', 'json'], { ports: real => real, isTerminal: false, env }).result
}

/** Runs a command to its end as somebody sees it who types it at a terminal. */
export async function runOnTerminal(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Omit<CommandResult, 'json'>> {
  return start(argv, { ports: real => real, isTerminal: true, env }).result
}

interface Surroundings {
  readonly ports: (real: Ports) => Ports
  readonly isTerminal: boolean
  readonly env: Readonly<Record<string, string>>
}

function start(argv: readonly string[], { ports, isTerminal, env }: Surroundings): RunningCommand {
  const listeners = new Map<SignalName, () => void>()
  let stdout = ''
  let stderr = ''
  const world = {
    argv,
    env,
    stdout: { isTerminal, columns: () => 100, write: (text: string) => void (stdout += text) },
    stderr: { isTerminal, columns: () => 100, write: (text: string) => void (stderr += text) },
    version: '0.0.0',
    runtime: 'a test',
    readFile: () => '',
    onSignal(name: SignalName, listener: () => void) {
      listeners.set(name, listener)
      return { [Symbol.dispose]: () => void listeners.delete(name) }
    },
    ports: () => Promise.resolve(ports(systemPorts)),
  }
  const run = async (): Promise<CommandResult> => {
    const exit = await main(world, commandTable)
    const isJson = !isTerminal && stdout !== ''
    return { exit, stdout, stderr, json: isJson ? (JSON.parse(stdout) as Record<string, unknown>) : {} }
  }
  return { result: run(), output: () => stdout + stderr, signal: name => listeners.get(name)?.() }
}

/** Runs a command to its end. */
export function runCommand(argv: readonly string[], ports?: (real: Ports) => Ports): Promise<CommandResult> {
  return startCommand(argv, ports).result
}
