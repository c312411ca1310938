import { isMaxbrodError } from '../../runtime/errors.ts'
import { KafkaError, isTemporary } from '../kafka-errors.ts'

/** How long a member goes on trying to reach a group that does not answer, before it ends. */
const GIVE_UP_MS = 10 * 60_000

export interface Silence {
  /** True for one that the group has ever counted in. */
  readonly isMember: boolean
  /** Since the group counted it in for the last time, or since it began. */
  readonly sinceMs: number
  /** How long the first assignment may take to come. */
  readonly joinDeadlineMs: number
}

/** Whether another attempt to join is worth it: time may heal the error, and has not had long enough to do so. */
export function isWorthAnotherTry(error: unknown, { isMember, sinceMs, joinDeadlineMs }: Silence): boolean {
  if (sinceMs > (isMember ? GIVE_UP_MS : joinDeadlineMs)) return false
  if (error instanceof KafkaError) return isTemporary(error.error) || error.error === 'GROUP_MAX_SIZE_REACHED'
  // One that was never in has a command line to go back to.
  return isMember && isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')
}
