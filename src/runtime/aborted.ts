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
