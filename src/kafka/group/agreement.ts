/** What comes of comparing our topics with those of the group's leader. */
export type Agreed = 'agreed' | 'rebalance' | 'other topics'

/**
 * Whether the group shares out what this member matches. Another rebalance is needed when the leader may not know what we
 * know: joining again with a changed nonce makes the coordinator start one, and everybody looks at the topics before joining.
 */
export class Agreement {
  #nonce = 0
  /** Rebalances in a row that we forced because the leader matched other topics. */
  #disagreements = 0
  /** True for one that joins anew: maybe it leads, and is not told. */
  #isUnsure = true

  /** Tells the coordinator of a wish to rebalance when it differs from that of the last join. */
  get nonce(): number {
    return this.#nonce
  }

  /** The next join is to make the group rebalance. */
  askForRebalance(): void {
    this.#nonce++
  }

  /** The group does not know this member any more. */
  joinsAnew(): void {
    this.#isUnsure = true
  }

  /**
   * A static member that comes back gets its old assignment without a rebalance, and is not told if it leads: nobody would
   * look at new topics for ever (seen). So it has to ask for a rebalance, once.
   */
  mayLeadUntold({ isStatic, isLeader }: { readonly isStatic: boolean; readonly isLeader: boolean }): boolean {
    const mayLead = this.#isUnsure && isStatic && !isLeader
    this.#isUnsure = false
    if (mayLead) this.askForRebalance()
    return mayLead
  }

  /** Compares once more after a rebalance, then gives in: two members may be configured differently for good. */
  compare(isSame: boolean): Agreed {
    if (isSame) {
      this.#disagreements = 0
      return 'agreed'
    }
    if (this.#disagreements++ > 0) return 'other topics'
    this.askForRebalance()
    return 'rebalance'
  }
}
