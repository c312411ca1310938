/** Why something was ended on purpose: the reason of every abort signal of ours. Not a failure. */
export class Aborted extends Error {
  override readonly name = 'Aborted'
}

/** True for what work throws that was ended on purpose. */
export function isAborted(error: unknown): boolean {
  return error instanceof Aborted || (error instanceof Error && error.name === 'AbortError')
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/** What `work` resolves with, or undefined as soon as the signal aborts; the work goes on all the same. No listener stays. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) {
    work.catch(() => undefined) // nobody waits for it, and it may fail yet
    return undefined
  }
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const onAbort = () => resolve(undefined)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What `work` resolves with; throws the signal's reason as soon as that aborts, and the work goes on all the same. No listener stays. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const done = await unlessAborted(
    work.then(value => ({ value })),
    signal,
  )
  if (done !== undefined) return done.value
  throw signal.reason
}
