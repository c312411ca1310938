import type { ErrorCode } from '../runtime/error-codes.ts'
import type { ErrorDetails } from '../runtime/errors.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** Why a target cannot be restored into, and what to do about it. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
}

/** Decides the exit code where there are several: what is wrong with the question comes before what is wrong with the cluster. */
const ORDER: readonly ErrorCode[] = [
  'USAGE',
  'KAFKA_AUTH',
  'TARGET_REPLACED',
  'TARGET_MISSING',
  'TARGET_PARTITIONS',
  'KAFKA_GAVE_UP',
  'TARGET_NOT_EMPTY',
]
const SHOWN = 10

/** One error that says all of them; `facts` are added to it. Undefined when there is none. Pure. */
export function errorOf(refusals: readonly Refusal[], facts: Readonly<Record<string, unknown>> = {}) {
  const sorted = refusals.toSorted((a, b) => ORDER.indexOf(a.code) - ORDER.indexOf(b.code))
  const [first] = sorted
  if (first === undefined) return undefined
  const messages = sorted.slice(0, SHOWN).map(({ message }) => message)
  const more = sorted.length > SHOWN ? ` and ${sorted.length - SHOWN} more` : ''
  const hint = [...new Set(sorted.flatMap(({ details }) => details.hint ?? []))].join('; ')
  const own = sorted.length === 1 ? first.details : {}
  return new MaxbrodError(first.code, messages.join('; ') + more, { ...own, ...facts, hint })
}
