import { MaxbrodError } from '../runtime/errors.ts'
import type { Outcome } from './ending.ts'

/** For `run` of a command whose options are there already. */
export function notBuilt(name: string): Promise<Outcome> {
  return Promise.reject(new MaxbrodError('NOT_BUILT', `maxbrod ${name} does not work yet in this version`))
}
