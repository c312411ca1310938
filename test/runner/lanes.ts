import { must } from '../../src/runtime/assert.ts'
import type { TestFile } from './files.ts'

export interface LaneOptions<Result> {
  readonly cores: number
  /** Resolves when files with servers can begin; with false when they never can. */
  readonly servers: Promise<boolean>
  readonly signal: AbortSignal
  /** Each in a lane from 1 on, which is its own while it runs. */
  readonly run: (file: TestFile, lane: number) => Promise<Result>
}

/** So many files run at a time, at most. */
export function lanesOf(cores: number): number {
  return cores + 2
}

/** Runs the files, some at a time, and yields each result as it comes. Ends early when it is stopped. */
export async function* inLanes<Result>(
  files: readonly TestFile[],
  options: LaneOptions<Result>,
): AsyncGenerator<Result> {
  const { cores, servers, signal, run } = options
  const waiting = [...files]
  const running = new Map<TestFile, Promise<() => Result>>()
  const free = Array.from({ length: lanesOf(cores) }, (_, n) => n + 1)
  let areServersUp: boolean | undefined
  const start = servers.then(areUp => void (areServersUp = areUp))
  for (;;) {
    while (!signal.aborted) {
      const file = nextFile(waiting, [...running.keys()], { cores, areServersUp: areServersUp === true })
      if (file === undefined) break
      waiting.splice(waiting.indexOf(file), 1)
      const lane = must(free.pop(), 'a free lane')
      const end = (result: Result) => () => {
        running.delete(file)
        free.push(lane)
        return result
      }
      running.set(file, run(file, lane).then(end))
    }
    const isStarting = areServersUp === undefined && waiting.length > 0 && !signal.aborted
    if (running.size === 0 && !isStarting) return
    const ended = await Promise.race([...running.values(), ...(isStarting ? [start] : [])])
    if (ended !== undefined) yield ended()
  }
}

/**
 * Which of the waiting files begins now, if any. Those with servers wait for time-outs of Kafka much of their time: they have a lane
 * more than there are cores, and beside them pure files have one. Pure files have the cores for themselves until the servers are up,
 * and when no other file is left to begin.
 */
export function nextFile(
  waiting: readonly TestFile[],
  running: readonly TestFile[],
  { cores, areServersUp }: { readonly cores: number; readonly areServersUp: boolean },
): TestFile | undefined {
  const lanes = lanesOf(cores)
  if (running.length >= lanes) return undefined
  const pure = waiting.find(isPure)
  const other = areServersUp ? waiting.find(file => !isPure(file)) : undefined
  const pureRunning = running.filter(isPure).length
  const isPureLeft = pure !== undefined || pureRunning > 0
  if (other !== undefined && running.length - pureRunning < (isPureLeft ? lanes - 1 : lanes)) return other
  return pureRunning < (other === undefined ? cores : 1) ? pure : undefined
}

function isPure({ kind }: TestFile): boolean {
  return kind === 'pure'
}
