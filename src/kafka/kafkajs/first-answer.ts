import type { Clock } from '../../runtime/clock.ts'

export interface FirstAnswerOptions {
  readonly clock: Clock
  /** How long one is waited for before the next one is asked, too. */
  readonly patienceMs: number
  /** True for an error that the others would answer with, too. */
  readonly isFinal: (error: unknown) => boolean
}

/**
 * Asks one candidate after the other: the next one as soon as one fails, or keeps us waiting. The first answer counts, so one
 * frozen broker holds nobody up. Throws a final error at once, else the last one.
 */
export async function firstAnswer<C, T>(
  candidates: readonly C[],
  ask: (candidate: C) => Promise<T>,
  { clock, patienceMs, isFinal }: FirstAnswerOptions,
): Promise<T> {
  const over = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let asked = 0
  let failed = 0
  const askNext = () => {
    const candidate = candidates[asked]
    if (candidate === undefined || over.signal.aborted) return
    const turn = ++asked
    ask(candidate).then(resolve, (error: unknown) => {
      failed++
      if (isFinal(error) || failed === candidates.length) reject(error)
      else if (turn === asked) askNext()
    })
    void clock.sleep(patienceMs, over.signal).then(() => (turn === asked ? askNext() : undefined))
  }
  askNext()
  try {
    return await promise
  } finally {
    over.abort()
  }
}
