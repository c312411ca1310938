import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import { within } from '../runtime/within.ts'
import type { CheckDeps } from './deps.ts'
import type { Finding } from './finding.ts'
import { fail } from './finding.ts'
import { lookAtKafka } from './look-at-kafka.ts'
import { lookAtStore } from './look-at-store.ts'
import type { CheckOptions } from './options.ts'
import { NEEDS } from './purpose.ts'
import { judgeArchive } from './storage.ts'
import { lookAtWorkingDir } from './working-dir.ts'

/** Looks at everything that the command of --for needs, side by side. What fails is a finding; throws only when aborted. */
export async function check(options: CheckOptions, deps: CheckDeps, signal: AbortSignal): Promise<Finding[]> {
  const needs = NEEDS[options.for]
  const look = <T>(what: string, run: (until: AbortSignal) => Promise<T>) =>
    lookWithin(deps, options.timeout, what, run, signal)
  const [kafka, store] = await Promise.all([
    look('brokers', () => lookAtKafka(options, deps)),
    look('storage', until => lookAtStore(options, deps, until)),
  ])
  const partitions = kafka.seen?.partitions ?? 0
  const disk = needs.hasWorkingDir
    ? await look('disk', () => lookAtWorkingDir(deps.disk, options.workingDir, partitions))
    : undefined
  return [
    ...(kafka.seen?.findings ?? kafka.failures),
    ...(disk?.seen === undefined ? (disk?.failures ?? []) : [disk.seen]),
    ...(store.seen?.findings ?? store.failures),
    ...(store.seen === undefined
      ? []
      : [judgeArchive(deps.store.url, store.seen.archive, kafka.seen?.clusterId, needs)]),
  ]
}

/** What was seen, or why nothing was. */
interface Look<T> {
  readonly seen?: T
  readonly failures: readonly Finding[]
}

async function lookWithin<T>(
  { clock }: CheckDeps,
  ms: number,
  what: string,
  run: (until: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<Look<T>> {
  const over = new AbortController()
  try {
    const seen = await within(clock, ms, run(AbortSignal.any([signal, over.signal])))
    if (seen !== undefined) return { seen, failures: [] }
    return { failures: [fail(what, `no answer within ${ms / 1000} s`, 'look at addresses, firewalls and proxies')] }
  } catch (error) {
    signal.throwIfAborted()
    const hint = isMaxbrodError(error) ? error.hint : undefined
    return { failures: [fail(what, messageOf(error), hint ?? 'docs/errors.md says more')] }
  } finally {
    // What nobody waits for any more would keep the process.
    over.abort()
  }
}
