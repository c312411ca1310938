import { integerBytes, writeInteger } from '../batch/varint.ts'

/** The header that every restored record gets, last in its list: the record's offset in the source topic, in decimal text. */
export const SOURCE_OFFSET_HEADER = 'restore.source-offset'

const NAME = Buffer.concat([Buffer.from([SOURCE_OFFSET_HEADER.length * 2]), Buffer.from(SOURCE_OFFSET_HEADER)])
const MAX_DIGITS = 16

/** Writes the header for one offset after another; ascending neighbours cost a digit or two instead of a conversion. */
export class SourceOffsetWriter {
  readonly #digits = Buffer.alloc(MAX_DIGITS)
  #start = MAX_DIGITS
  #offset = -2

  /** Sets the offset and returns how many bytes its header takes. */
  set(offset: number): number {
    if (offset !== this.#offset + 1 || !this.#increment()) this.#convert(offset)
    this.#offset = offset
    const digits = MAX_DIGITS - this.#start
    return NAME.length + integerBytes(digits) + digits
  }

  /** Writes the header in Kafka's form; returns the position behind it. */
  write(out: Buffer, at: number): number {
    for (const byte of NAME) out[at++] = byte
    at = writeInteger(out, at, MAX_DIGITS - this.#start)
    for (let n = this.#start; n < MAX_DIGITS; n++) out[at++] = this.#digits[n] as number
    return at
  }

  /** Adds one in place; false when the number gets longer. */
  #increment(): boolean {
    for (let n = MAX_DIGITS - 1; n >= this.#start; n--) {
      const digit = this.#digits[n] as number
      if (digit < 0x39) {
        this.#digits[n] = digit + 1
        return true
      }
      this.#digits[n] = 0x30
    }
    return false
  }

  #convert(offset: number): void {
    const text = offset.toString()
    this.#start = MAX_DIGITS - text.length
    this.#digits.write(text, this.#start, 'latin1')
  }
}
