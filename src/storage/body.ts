import { assert } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectBody, ObjectHead, ObjectRead } from './port.ts'

/**
 * An ObjectRead over `chunks`. `release` is called once: when the body has ended, failed or was left, or when the read is
 * disposed of, even if nobody began to read.
 */
export function newRead(head: ObjectHead, chunks: AsyncIterable<Buffer>, release: () => Promise<void>): ObjectRead {
  let releasing: Promise<void> | undefined
  const close = () => (releasing ??= release())
  let isTaken = false
  const body = {
    [Symbol.asyncIterator]() {
      // A second reader would see an empty body and take it for a whole one.
      assert(!isTaken, 'the body of an object is read twice')
      isTaken = true
      return closingAtEnd(chunks, close)
    },
  }
  const { bytes, etag, facts } = head
  return { bytes, etag, facts, body, [Symbol.asyncDispose]: close }
}

async function* closingAtEnd(chunks: AsyncIterable<Buffer>, close: () => Promise<void>): AsyncGenerator<Buffer> {
  try {
    yield* chunks
  } finally {
    await close()
  }
}

/** The bytes of a body to be stored; throws STORAGE_REFUSED at the end unless they are as many as it said. */
export async function* countedPieces(
  key: string,
  body: ObjectBody,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { bytes } = body
  let left = bytes
  for await (const piece of body.open()) {
    signal?.throwIfAborted()
    left -= piece.byteLength
    if (left < 0) break
    yield piece
  }
  if (left === 0) return
  const found = left < 0 ? 'more' : `only ${bytes - left}`
  throw new MaxbrodError('STORAGE_REFUSED', `${key} should get ${bytes} bytes and its source holds ${found}`, {
    key,
    bytes,
    hint: 'the local file was changed or cut; what it held is still in Kafka, start again without it',
  })
}

/** The part of an object of `bytes` bytes that `start` and a wish for at most `wanted` bytes name; closed-open. */
export function rangeWithin(
  bytes: number,
  start = 0,
  wanted = Infinity,
): { readonly from: number; readonly to: number } {
  assert(Number.isSafeInteger(start) && start >= 0 && wanted >= 0, `range from ${start}, ${wanted} bytes`)
  const from = Math.min(start, bytes)
  return { from, to: Math.min(bytes, from + wanted) }
}
