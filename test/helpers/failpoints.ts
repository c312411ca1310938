import { once } from 'node:events'
import { eventually } from './eventually.ts'
import type { FaultyCli } from './faulty-process.ts'
import { knownVerbs } from './faulty-ports.ts'
import { logged } from './log-lines.ts'

/** One moment at which a worker is hit, and how. */
export interface Failpoint {
  readonly verb: string
  readonly when: 'before' | 'after'
  readonly call: number
  /** `stop` is a SIGSTOP that outlasts the session, and then a SIGCONT; after a `note` the worker is asked to end. */
  readonly effect: 'kill' | 'stop' | 'note'
  /** The worker begins with an empty folder: only then is the verb called. */
  readonly isFresh: boolean
  /** With --once: only such a worker calls the verb. */
  readonly isOnce: boolean
}

export function faultOf({ verb, when, call, effect }: Failpoint): string {
  return `${verb}:${when}:${call}:${effect}`
}

/** Starts a worker of the scene whose failpoints are looked for; `name` is its folder. */
export type StartWorker = (name: string, faults: readonly string[], flags: readonly string[]) => FaultyCli

/** How often each verb was called by a worker with an empty folder, by one that was killed before, and by one with --once. */
export type Calls = Readonly<Record<'fresh' | 'again' | 'once', ReadonlyMap<string, number>>>

/** Called by a worker that finds what another one has left in the spool; how often, depends on what that had read. */
export const verbsOfTheSpool: ReadonlySet<string> = new Set(['disk.readPieces', 'disk.truncate'])

/** A worker that reads and uploads nothing, and how to know that its spool has a whole block of one of its six partitions. */
export const spooling = {
  note: 'disk.append:after:14:note',
  flags: ['--max-file-age=10m', '--idle-after=100ms'],
} as const

/** Highest call that stands for the last one: workers that go on for ever have none. */
const lastCall = 25

/** A golden run: which verbs of its ports a worker calls, from an empty folder to a rebalance, after a SIGKILL, and at its end. */
export async function discoverCalls(start: StartWorker, sessionMs: number): Promise<Calls> {
  const notes = knownVerbs.map(verb => `${verb}:before:*:note`)
  const uploads = async (worker: FaultyCli, count: number) =>
    eventually('the worker uploads', () => logged(worker.output, 'uploaded').length >= count, { timeoutMs: 120_000 })
  const fresh = start('golden', notes, [])
  await uploads(fresh, 12)
  const other = start('golden-other', [], [])
  await eventually('partitions move', () => callsOf(fresh).has('kafka.revoked'), { timeoutMs: 60_000 })
  await uploads(other, 1)
  await kill(fresh)
  await kill(other)
  const spooler = start('golden', [spooling.note], spooling.flags)
  await eventually('something is in the spool', () => spooler.fired.includes(spooling.note), { timeoutMs: 120_000 })
  await kill(spooler)
  await new Promise(resolve => setTimeout(resolve, sessionMs))
  const again = start('golden', notes, [])
  await uploads(again, 12)
  await kill(again)
  const last = start('golden', notes, ['--once'])
  await last.result
  return { fresh: callsOf(fresh), again: callsOf(again), once: callsOf(last) }
}

/** Each verb that was called × before and after × the first, the second and the last call × SIGKILL and SIGSTOP. */
export function failpointsOf({ fresh, again, once: ended }: Calls): Failpoint[] {
  return knownVerbs.flatMap(verb => {
    const counts = [fresh.get(verb), again.get(verb)].filter(count => count !== undefined)
    const isOnce = counts.length === 0
    if (isOnce && !ended.has(verb)) return []
    const last = Math.min(lastCall, ...(isOnce ? [ended.get(verb)!] : counts))
    const isFresh = !isOnce && !again.has(verb)
    const calls = verbsOfTheSpool.has(verb) ? [1] : [...new Set([1, 2, last])]
    // Nobody reads to the end of it: who has what the notes promise has enough.
    const moments = verb === 'disk.readPieces' ? (['before'] as const) : (['before', 'after'] as const)
    return calls
      .filter(call => call <= last)
      .flatMap(call =>
        moments.flatMap(when =>
          (['kill', 'stop'] as const).map(effect => ({ verb, when, call, effect, isFresh, isOnce })),
        ),
      )
  })
}

/** How often each verb was called by a process that notes them all. */
export function callsOf({ output }: FaultyCli): Map<string, number> {
  const calls = new Map<string, number>()
  for (const [, verb = ''] of output.matchAll(/^fault: ([a-zA-Z.]+):before:\*:note/gm))
    calls.set(verb, (calls.get(verb) ?? 0) + 1)
  return calls
}

async function kill(worker: FaultyCli): Promise<void> {
  const ended = once(worker.process, 'close')
  worker.process.kill('SIGKILL')
  await ended
}
