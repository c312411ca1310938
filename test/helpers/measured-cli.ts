import { readFileSync } from 'node:fs'
import { Cli } from './cli.ts'
import type { CliResult } from './cli.ts'
import { processFigures } from './process-figures.ts'

export interface Measured extends CliResult {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Resident, in millions of bytes. */
  readonly peakMB: number
}

/** Runs the real command to its end, and looks at its time, and the most memory that it had. */
export async function measuredCli(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const startedMs = performance.now()
  const cli = new Cli(argv, { env })
  let [peakMB, cpuSeconds] = [0, 0]
  const look = () => {
    peakMB = Math.max(peakMB, peakOf(cli.process.pid!))
    if (peakMB > 0 && cli.process.exitCode === null) cpuSeconds = Math.round(cpuOf(cli.process.pid!) ?? cpuSeconds)
  }
  const looking = setInterval(look, 100)
  const result = await cli.result
  clearInterval(looking)
  return { ...result, seconds: Math.round((performance.now() - startedMs) / 100) / 10, cpuSeconds, peakMB }
}

/** Undefined when the process is gone. */
function cpuOf(pid: number): number | undefined {
  try {
    return processFigures(pid).cpuSeconds
  } catch {
    return undefined
  }
}

/** 0 when the process is gone. */
function peakOf(pid: number): number {
  try {
    const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Math.ceil((Number(kib) * 1024) / 1e6)
  } catch {
    return 0
  }
}
