/** How far the work is, as a port: rooms say what they did, and know nothing of terminals. */
export interface Progress {
  /** Shows a piece of work until it is disposed of. Few at a time: a topic, not a partition. */
  task(label: string, work: Work): Task
}

export interface Work {
  readonly unit: 'records' | 'bytes' | 'files' | 'offsets'
  /** Undefined while nobody knows. */
  readonly total: number | undefined
  /** What was there before we began, after a restart: it counts as done, and not for the rate. Default 0. */
  readonly done?: number
}

export interface Task extends Disposable {
  add(amount: number): void
  setTotal(total: number): void
}

/** What all parts of something come to when the first ones came to `done`: better than nothing until the last one is known. */
export function estimatedTotal(done: number, parts: number, ofParts: number): number {
  return Math.ceil((done * ofParts) / parts)
}

/** For tests, and for commands whose output is for programs. */
export const silentProgress: Progress = {
  task: () => ({ add: () => undefined, setTotal: () => undefined, [Symbol.dispose]: () => undefined }),
}
