/** Empty answers to a fetch of this partition alone, before the position moves over what must be empty. */
const EMPTY_PROBES = 2

/**
 * An empty answer although there should be something: the answer's budget may have been spent on other partitions, or
 * compaction took everything up to the end, or the records lie in tiered storage, which is slow or throttled now. Only two
 * empty answers to fetches of this partition alone, about offsets on the leader's own disk, tell the second.
 */
export class EmptyProbes {
  /** Last stable offsets of empty answers that should not have been empty; undefined while there was none. */
  #ends: number[] | undefined

  /** True when the next fetch must ask for this partition alone: only then does an empty answer mean anything. */
  get isProbing(): boolean {
    return this.#ends !== undefined
  }

  /** Something came, or nothing is missing any more. */
  reset(): void {
    this.#ends = undefined
  }

  /** Notes an empty answer about `position`. Returns the offset up to which all must be empty, once it is sure. */
  answered(position: number, lastStableOffset: number, isAlone: boolean): number | undefined {
    if (lastStableOffset <= position) {
      this.reset()
      return undefined
    }
    this.#ends ??= []
    if (isAlone) this.#ends.push(lastStableOffset)
    return this.#ends.length < EMPTY_PROBES ? undefined : Math.min(...this.#ends)
  }
}
