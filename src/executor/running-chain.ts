import type { ChainRestore } from './chain.ts'

/** A chain of a plan partition, and what becomes of it. */
export interface RunningChain {
  readonly chain: ChainRestore
  /** Where its files stand in the plan partition, by their index. */
  readonly offsets: number[]
  /** Until it is through, the time before its turn included. */
  running: Promise<void> | undefined
  hasBegun: boolean
  state: 'sound' | 'put aside' | 'stopped'
  /** Where its last file stands while what its target has lost is restored again. */
  reopened: number | undefined
}
