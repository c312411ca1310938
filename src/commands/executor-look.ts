import type { Page } from '../archive/report/model.ts'
import type { ExecutorView } from '../executor/view.ts'
import type { Clock } from '../runtime/clock.ts'
import { pageOfExecutor } from './executor-page.ts'

/** The rate is that since a look so long ago or longer. */
const RATE_MS = 10_000

/** Looks at an executor again and again: what it has sent meanwhile tells its rate. */
export function executorLook(view: () => ExecutorView, clock: Clock, writer: string): () => Page {
  let before: { readonly atMs: number; readonly records: number } | undefined
  let between: typeof before
  return () => {
    const seen = view()
    const now = { atMs: clock.monotonic(), records: seen.recordsSent }
    const since = before
    const passedMs = since === undefined ? 0 : now.atMs - since.atMs
    const recordsPerSecond =
      since === undefined || passedMs <= 0 ? undefined : ((now.records - since.records) * 1_000) / passedMs
    if (between === undefined || now.atMs - between.atMs >= RATE_MS) {
      before = between ?? now
      between = now
    }
    return pageOfExecutor(seen, { nowMs: clock.now(), writer, recordsPerSecond })
  }
}
