import { createHash } from 'node:crypto'

/** The seed of the run: every random choice of a test follows from it and from the test's title. */
export const testSeed = process.env['TEST_SEED'] ?? `${Math.floor(Math.random() * 2 ** 31)}`

/** Chance that can be repeated: the same seed and name give the same numbers. */
export class Dice {
  #state: bigint

  constructor(name: string, seed = testSeed) {
    this.#state = createHash('sha256').update(`${seed}\0${name}`).digest().readBigUInt64BE()
  }

  /** In [0, 1). */
  number(): number {
    return Number(this.#next() >> 11n) / 2 ** 53
  }

  /** From `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.number() * (max - min + 1))
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)]!
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at < length; at++) bytes[at] = this.between(0, 255)
    return bytes
  }

  /** SplitMix64. */
  #next(): bigint {
    this.#state = BigInt.asUintN(64, this.#state + 0x9e3779b97f4a7c15n)
    let z = this.#state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }
}
