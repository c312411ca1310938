import assert from 'node:assert/strict'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'

/** A pool that knows who owes what: a buffer given back twice or never is a defect of whoever took it. */
export class CountingPool extends BufferPool {
  readonly #taken = new Set<Buffer>()

  constructor() {
    super(64 * 1024 * 1024)
  }

  get taken(): number {
    return this.#taken.size
  }

  override take(bytes: number): Buffer {
    const buffer = super.take(bytes)
    // Old content, as a pool has it: whoever reads what he did not write gets nonsense.
    buffer.fill(0xa5)
    this.#taken.add(buffer)
    return buffer
  }

  override give(buffer: Buffer): void {
    if (buffer.length === 0) return
    assert(this.#taken.delete(buffer), 'a buffer was given back that was not taken')
    super.give(buffer)
  }
}
