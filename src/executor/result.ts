import type { ErrorCode } from '../runtime/error-codes.ts'
import { MaxbrodError, messageOf } from '../runtime/errors.ts'
import type { VerifiedChain } from './verify-shared.ts'

/** What a restore did, for people and for programs. */
export interface RestoreResult {
  readonly result: 'ok' | 'partial'
  readonly planTopic: string
  readonly restoreId: string
  /** Records that this executor's targets acknowledged to it. */
  readonly recordsSent: number
  readonly topics: readonly RestoredTopic[]
  /** True when targets are kept from deletion until they are finalized. */
  readonly isHeld: boolean
  /** The name of this executor in `verified`. */
  readonly executor: string
  /** With `--verify full`: all chains that were read back, and by whom. */
  readonly verified: readonly VerifiedChain[]
  /** Chains that are not complete, and why as far as this executor knows. */
  readonly incomplete: readonly IncompleteChain[]
}

export interface RestoredTopic {
  readonly topic: string
  readonly partitions: number
  /** Planned, and in the target now, whoever put them there. */
  readonly recordsPlanned: number
  readonly recordsRestored: number
}

export interface IncompleteChain {
  readonly topic: string
  readonly partition: number
  readonly recordsPlanned: number
  readonly recordsRestored: number
  readonly code: ErrorCode | 'BUG' | undefined
  readonly message: string
}

/** Of a chain that is not complete, although the group has committed the plan past it. */
const UNKNOWN =
  'it was put aside by an executor, whose log says why, or lost records since; restore --retry-quarantined tries it again'

/** An error as the list of incomplete chains shows it. */
export function describeFailure(error: unknown): Pick<IncompleteChain, 'code' | 'message'> {
  if (error === undefined) return { code: undefined, message: UNKNOWN }
  const hint = error instanceof MaxbrodError && error.hint !== undefined ? ` (${error.hint})` : ''
  return { code: error instanceof MaxbrodError ? error.code : 'BUG', message: `${messageOf(error)}${hint}` }
}
