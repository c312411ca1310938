import type { Kind } from '../config/option.ts'
import { kindOfOne } from '../config/option.ts'
import { Unreadable } from '../config/unreadable.ts'

/** `5%` → 0.05 */
export const share: Kind<number> = kindOfOne({ name: 'text', placeholder: 'PERCENT' }, given => {
  const percent = /^\d{1,3}(\.\d+)?%$/.test(given) ? Number(given.slice(0, -1)) : Number.NaN
  if (!(percent > 0 && percent <= 100)) throw new Unreadable(`'${given}' is not a share`, 'write it like 5%')
  return percent / 100
})
