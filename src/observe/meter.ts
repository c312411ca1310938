const windowMs = 10_000
const everyMs = 1_000

/** How fast an amount grows, over the last ten seconds: short enough to show a change, long enough to be read. */
export class Meter {
  /** Not more than one a second; the first is at most one window old. */
  readonly #samples: { readonly atMs: number; readonly amount: number }[]

  constructor(nowMs: number, amount: number) {
    this.#samples = [{ atMs: nowMs, amount }]
  }

  /** Units per second until now; 0 before there is anything to tell. */
  perSecond(nowMs: number, amount: number): number {
    const last = this.#samples.at(-1)
    if (last === undefined || nowMs - last.atMs >= everyMs) this.#samples.push({ atMs: nowMs, amount })
    // The first one stays as long as the second is not old enough to begin the window itself.
    while (this.#samples[1] !== undefined && nowMs - this.#samples[1].atMs >= windowMs) this.#samples.shift()
    const first = this.#samples[0]
    if (first === undefined || nowMs <= first.atMs) return 0
    return ((amount - first.amount) * 1_000) / (nowMs - first.atMs)
  }
}
