/** Stops on what cannot happen: a bug of ours, never a fault of the input. Stays in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`maxbrod bug: ${message}`)
}

/** The value, which cannot be missing here. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`maxbrod bug: missing ${what}`)
  return value
}
