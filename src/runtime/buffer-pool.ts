/** Smallest and largest buffers worth keeping; others are left to the garbage collector. */
const MIN_KEPT_BYTES = 32 * 1024
const MAX_KEPT_BYTES = 64 * 1024 * 1024

/**
 * Buffers that are used again, in sizes of powers of two: a fresh megabyte costs page faults and garbage collection each
 * time. Who takes one gives it back once, when nothing refers to it any more; forgetting to only costs speed.
 */
export class BufferPool {
  readonly #free = new Map<number, Buffer[]>()
  readonly #keepBytes: number
  #keptBytes = 0

  /** Keeps at most `keepBytes` of unused buffers. */
  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes
  }

  /** A buffer of at least `bytes`, with old content. */
  take(bytes: number): Buffer {
    const size = sizeClass(bytes)
    const buffer = this.#free.get(size)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size)
    this.#keptBytes -= size
    return buffer
  }

  give(buffer: Buffer): void {
    const size = buffer.length
    if (size < MIN_KEPT_BYTES || size > MAX_KEPT_BYTES || size !== sizeClass(size)) return
    if (this.#keptBytes + size > this.#keepBytes) return
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [buffer])
    else free.push(buffer)
    this.#keptBytes += size
  }
}

/** Powers of two with a quarter on top, so that a mebibyte block with its slack does not take two. */
function sizeClass(bytes: number): number {
  let size = MIN_KEPT_BYTES
  while (size < bytes) {
    if (size + size / 4 >= bytes) return size + size / 4
    size *= 2
  }
  return size
}
