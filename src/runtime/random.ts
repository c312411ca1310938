import { randomUUID } from 'node:crypto'

/** Chance, as a port: rooms take it as an argument, so that a test can own it. */
export interface Random {
  /** In [0, 1). For jitter. */
  readonly number: () => number
  /** A new unique id: 32 hexadecimal digits. */
  readonly id: () => string
}

export const systemRandom: Random = {
  number: () => Math.random(),
  id: () => randomUUID().replaceAll('-', ''),
}
