import { createHash } from 'node:crypto'
import { DecodeError } from '../format/batch/varint.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { corrupt } from './tile-header-reader.ts'

/** Bytes may be damaged on their way: an object is called damaged when so many reads in a row say so. */
const READS = 3

/**
 * A small object's bytes, or undefined when there is none. What its writer stored beside it proves them: most of these objects say
 * offsets and names in plain words, where a flipped bit makes another one. Throws OBJECT_LIMIT above `maxBytes`, OBJECT_CORRUPT.
 */
export async function readWhole(
  store: ObjectStore,
  key: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  for (let read = 1; ; read++) {
    const found = await readOnce(store, key, maxBytes, signal)
    if (found?.isProven !== false) return found?.content
    if (read < READS) continue
    throw corrupt(key, new DecodeError('its bytes have another SHA-256 than the one that was stored beside it'))
  }
}

async function readOnce(
  store: ObjectStore,
  key: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly content: Buffer; readonly isProven: boolean } | undefined> {
  try {
    await using read = await store.get(key, { bytes: maxBytes, signal })
    const { body, bytes, facts } = read
    if (bytes > maxBytes)
      throw new MaxbrodError('OBJECT_LIMIT', `${key} has ${bytes} bytes, where at most ${maxBytes} are expected`, {
        key,
        bytes,
      })
    const chunks: Buffer[] = []
    for await (const chunk of body) chunks.push(chunk)
    const content = Buffer.concat(chunks)
    const { sha256 } = facts
    // A copy of the bucket may have lost what stood beside.
    return { content, isProven: sha256 === undefined || sha256 === createHash('sha256').update(content).digest('hex') }
  } catch (error) {
    if (isMaxbrodError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}
