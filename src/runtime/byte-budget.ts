import { assert } from './assert.ts'

/**
 * A bound on bytes in memory. Takers wait in order of arrival; nobody is refused, because one piece larger than the
 * whole budget is let through alone.
 */
export class ByteBudget {
  readonly limitBytes: number
  #usedBytes = 0
  readonly #waiting: { bytes: number; go: () => void }[] = []

  constructor(limitBytes: number) {
    assert(limitBytes > 0, 'a byte budget needs room')
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** How much must be given back before all who wait have room; 0 when nobody waits. */
  get shortBytes(): number {
    if (this.#waiting.length === 0) return 0
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes, this.#usedBytes) - this.limitBytes
  }

  /** Resolves with the lease once there is room. An abort rejects with the signal's reason. */
  async take(bytes: number, signal?: AbortSignal): Promise<Lease> {
    signal?.throwIfAborted()
    if (this.#waiting.length > 0 || !this.#fits(bytes)) await this.#wait(bytes, signal)
    else this.#usedBytes += bytes
    return new Lease(this, bytes)
  }

  /** The lease if there is room now, else undefined. */
  tryTake(bytes: number): Lease | undefined {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return undefined
    this.#usedBytes += bytes
    return new Lease(this, bytes)
  }

  /** The lease at once, even beyond the limit: for bytes that are there already. Who waits for room waits longer. */
  grant(bytes: number): Lease {
    this.#usedBytes += bytes
    return new Lease(this, bytes)
  }

  /** Called by leases only: `bytes` may be negative. Growing is not refused, because the bytes are there already. */
  resize(bytes: number): void {
    this.#usedBytes += bytes
    assert(this.#usedBytes >= 0, 'byte budget below zero')
    while (this.#waiting[0] !== undefined && this.#fits(this.#waiting[0].bytes)) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#usedBytes += next.bytes
      next.go()
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.limitBytes
  }

  #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = {
        bytes,
        go: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        reject(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)))
        this.resize(0)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(entry)
    })
  }
}

/** Bytes taken from a budget; given back once, by `[Symbol.dispose]`. */
export class Lease {
  readonly #budget: ByteBudget
  #bytes: number

  constructor(budget: ByteBudget, bytes: number) {
    this.#budget = budget
    this.#bytes = bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Changes the size of the lease to what is really held. */
  resize(bytes: number): void {
    const change = bytes - this.#bytes
    this.#bytes = bytes
    if (change !== 0) this.#budget.resize(change)
  }

  [Symbol.dispose](): void {
    this.resize(0)
  }
}
