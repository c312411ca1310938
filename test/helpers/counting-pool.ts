import assert from 'node:assert/strict'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'

/** Room that a file claims and never fills costs a reader no memory, and must not here. */
const NONSENSE_BYTES = 1024 * 1024

/**
 * A pool that knows who owes what: a buffer given back twice or never is a defect of whoever took it. Its buffers have not
 * a byte more than was asked for, and nonsense in them, so that room that was counted wrong shows.
 */
export class CountingPool extends BufferPool {
  readonly #taken = new Set<Buffer>()

  constructor() {
    super(0)
  }

  get taken(): number {
    return this.#taken.size
  }

  override take(bytes: number): Buffer {
    const buffer = Buffer.allocUnsafeSlow(bytes)
    buffer.subarray(0, NONSENSE_BYTES).fill(0xa5)
    this.#taken.add(buffer)
    return buffer
  }

  override give(buffer: Buffer): void {
    if (this.#taken.delete(buffer)) return
    assert(buffer.length === 0, 'a buffer was given back that was not taken')
  }
}
