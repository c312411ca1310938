import { isMaxbrodError } from '../runtime/errors.ts'

/** What follows from a chain that failed. */
export type ChainTrouble =
  /** Time may heal it: the chain looks at its target again and goes on. */
  | 'try again'
  /** The file or the record will not get better: the chain ends exactly before it, the others go on. */
  | 'quarantine'
  /** Going on would make things worse: the chain ends, and the executor says so when the others are through. */
  | 'stop'

export function troubleOf(error: unknown): ChainTrouble {
  if (isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE', 'STORAGE_UNREACHABLE')) return 'try again'
  if (isMaxbrodError(error, 'OBJECT_CORRUPT', 'OBJECT_CHANGED', 'OBJECT_MISSING', 'OBJECT_LIMIT', 'TARGET_REFUSED'))
    return 'quarantine'
  return 'stop'
}

/**
 * So often something is looked at before it is believed to be wrong: a store that answered badly once may answer well, and a
 * broker knows of a topic, and of its hold, a little later than the controller that has confirmed it.
 */
const LOOKS = 3

/**
 * Whether a chain that failed tries again: `attempts` failed at this place, the last one with `error`, and `isOver` says that
 * the time for it is. Pure.
 */
export function triesAgain(error: unknown, attempts: number, isOver: boolean): boolean {
  switch (troubleOf(error)) {
    case 'try again':
      return !isOver
    case 'quarantine':
      return isMaxbrodError(error, 'OBJECT_CORRUPT', 'OBJECT_MISSING') && attempts < LOOKS
    case 'stop':
      return isMaxbrodError(error, 'TARGET_CHANGED', 'TARGET_REPLACED') && attempts < LOOKS
  }
}
