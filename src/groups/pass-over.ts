import type { Logger } from '../observe/logger.ts'
import type { MaxbrodError } from '../runtime/errors.ts'

/** Tells of a snapshot or point that cannot be read. */
export function passOver(log: Logger): (key: string, error: MaxbrodError) => void {
  return (key, err) => log.warn({ key, err }, 'a damaged object is passed over: an older one counts instead')
}
