import pLimit from 'p-limit'

/** Runs at most `concurrency` of the functions given to it at a time, in the order given. */
export type Limit = <T>(run: () => Promise<T>) => Promise<T>

export function newLimit(concurrency: number): Limit {
  return pLimit(concurrency)
}
