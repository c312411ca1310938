/** Why something was ended on purpose: the reason of every abort signal of ours. Not a failure. */
export class Aborted extends Error {
  override readonly name = 'Aborted'
}

/** True for what work throws that was ended on purpose. */
export function isAborted(error: unknown): boolean {
  return error instanceof Aborted || (error instanceof Error && error.name === 'AbortError')
}
