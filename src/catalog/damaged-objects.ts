import { isMaxbrodError } from '../runtime/errors.ts'
import type { MaxbrodError } from '../runtime/errors.ts'

/** Says that an object is passed over, and why. May throw: then it is not. */
export type TellDamaged = (key: string, error: MaxbrodError) => void

/**
 * Objects that are passed over because they cannot be read: another one of their kind is worth more than none. Each of them is
 * told of once, and not read again: it is never replaced.
 */
export class DamagedObjects {
  readonly #tell: TellDamaged
  readonly #errors = new Map<string, MaxbrodError>()

  constructor(tell: TellDamaged) {
    this.#tell = tell
  }

  /** What was wrong with the first of them that was met; undefined while there was none. */
  get firstError(): MaxbrodError | undefined {
    for (const error of this.#errors.values()) return error
    return undefined
  }

  /** What is read of an object; undefined when it is damaged, or gone: a lifecycle rule may have taken it since it was listed. */
  async unless<T>(key: string, read: () => Promise<T>): Promise<T | undefined> {
    if (this.#errors.has(key)) return undefined
    try {
      return await read()
    } catch (error) {
      if (!isMaxbrodError(error, 'OBJECT_CORRUPT', 'OBJECT_MISSING')) throw error
      this.#tell(key, error)
      this.#errors.set(key, error)
      return undefined
    }
  }
}
