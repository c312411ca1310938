import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tethered } from '../test/helpers/tether.ts'

/** What a whole process took. */
export interface Measured {
  readonly wallSeconds: number
  readonly userSeconds: number
  readonly systemSeconds: number
  readonly cpuSeconds: number
  readonly peakRssMiB: number
  readonly stdout: string
}

const POLL_MS = 20
const TIMES = /^times (\S+) (\S+)$/m

/** Runs a program to its end and measures it from outside; throws when it fails. The shell's `time` counts its threads, too. */
export async function measure(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Measured> {
  const script = 'TIMEFORMAT="times %3U %3S"; time "$@"'
  const startedAt = performance.now()
  const child = spawn(...tethered('bash', ['-c', script, 'bash', command, ...args]), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  let peakRssMiB = 0
  const timer = setInterval(() => {
    peakRssMiB = Math.max(peakRssMiB, peakOf(child.pid ?? 0))
  }, POLL_MS)
  const exit = await new Promise(resolve => child.once('close', resolve))
  clearInterval(timer)
  const times = TIMES.exec(stderr)
  if (exit !== 0 || times === null)
    throw new Error(`${command} ${args.join(' ')} ended with ${String(exit)}:\n${stderr.slice(-4000)}`)
  const userSeconds = Number(times[1])
  const systemSeconds = Number(times[2])
  return {
    wallSeconds: (performance.now() - startedAt) / 1000,
    userSeconds,
    systemSeconds,
    cpuSeconds: userSeconds + systemSeconds,
    peakRssMiB,
    stdout,
  }
}

/** Largest resident set so far of any process below `pid` (VmHWM), in MiB. */
export function peakOf(pid: number): number {
  let peak = 0
  for (const below of [pid, ...childrenOf(pid)]) {
    const match = /VmHWM:\s+(\d+) kB/.exec(readOr(`/proc/${below}/status`))
    peak = Math.max(peak, Number(match?.[1] ?? 0) / 1024)
  }
  return peak
}

function childrenOf(pid: number): number[] {
  const children = readOr(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return children.flatMap(child => [child, ...childrenOf(child)])
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process has ended meanwhile
  }
}
