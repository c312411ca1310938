/** The earliest and the latest of many timestamps, which are int64. */
export class Times {
  #min: number | bigint | undefined
  #max: number | bigint | undefined

  add(timestamp: number | bigint): void {
    if (this.#min === undefined || timestamp < this.#min) this.#min = timestamp
    if (this.#max === undefined || timestamp > this.#max) this.#max = timestamp
  }

  values(): { readonly timestampMin: bigint | undefined; readonly timestampMax: bigint | undefined } {
    return {
      timestampMin: this.#min === undefined ? undefined : BigInt(this.#min),
      timestampMax: this.#max === undefined ? undefined : BigInt(this.#max),
    }
  }
}
