import { readFileSync, readdirSync } from 'node:fs'

/** What Linux says of a process that runs. */
export interface ProcessFigures {
  readonly rssMiB: number
  /** Since its start, user and system, all threads. */
  readonly cpuSeconds: number
  readonly openFiles: number
  /** Files, sockets and pipes together. */
  readonly readKiB: number
  readonly writtenKiB: number
}

const TICKS_PER_SECOND = 100

export function processFigures(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const io = readFileSync(`/proc/${pid}/io`, 'utf8')
  // Fields 14 and 15; the name before them may hold blanks and ends with the last parenthesis.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return {
    rssMiB: Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    readKiB: Math.round(Number(/^rchar: (\d+)$/m.exec(io)?.[1]) / 1024),
    writtenKiB: Math.round(Number(/^wchar: (\d+)$/m.exec(io)?.[1]) / 1024),
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
  }
}

/** Per cent of one processor that it takes while `ms` pass. */
export async function cpuShare(pid: number, ms: number): Promise<number> {
  const from = processFigures(pid).cpuSeconds
  const fromMs = performance.now()
  await new Promise(resolve => setTimeout(resolve, ms))
  return Math.round(((processFigures(pid).cpuSeconds - from) / (performance.now() - fromMs)) * 1_000_000) / 10
}
