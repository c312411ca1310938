import { constants } from 'node:zlib'

/** What a frame says of its size, or seems to need, is not believed beyond this before it is true. */
export const MODEST_BYTES = 8 * 1024 * 1024

export interface Output {
  readonly chunkSize: number
  readonly maxOutputLength: number
  /** Little enough to wait for. */
  readonly isModest: boolean
}

/**
 * Decompresses by a one-shot call of node:zlib to at most `maxBytes`. Node joins the pieces of an output that it had no size for,
 * and has them twice then; so what is larger than expected gets one buffer as large as it may become, of which the system gives
 * the pages that are written and no others (measured). Throws what `decompress` throws.
 */
export async function withinLimit<T>(
  { expectedBytes, maxBytes }: { readonly expectedBytes: number; readonly maxBytes: number },
  decompress: (output: Output) => T | Promise<T>,
): Promise<T> {
  const modest = Math.min(maxBytes, MODEST_BYTES)
  if (expectedBytes <= MODEST_BYTES || maxBytes <= MODEST_BYTES) {
    const chunkSize = Math.min(Math.max(expectedBytes, constants.Z_MIN_CHUNK), MODEST_BYTES)
    try {
      return await decompress({ chunkSize, maxOutputLength: modest, isModest: true })
    } catch (error) {
      if (modest === maxBytes || !isTooLarge(error)) throw error
    }
  }
  // One byte more than the content: Node goes on when a buffer is full.
  return decompress({ chunkSize: maxBytes + 1, maxOutputLength: maxBytes, isModest: false })
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
