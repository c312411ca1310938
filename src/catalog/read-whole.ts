import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'

/** A small object's bytes, or undefined when there is none. Throws OBJECT_LIMIT above `maxBytes`. */
export async function readWhole(
  store: ObjectStore,
  key: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    const { body, bytes } = await store.get(key, { bytes: maxBytes, signal })
    const chunks: Buffer[] = []
    for await (const chunk of body) chunks.push(chunk)
    if (bytes > maxBytes)
      throw new MaxbrodError('OBJECT_LIMIT', `${key} has ${bytes} bytes, where at most ${maxBytes} are expected`, {
        key,
        bytes,
      })
    return Buffer.concat(chunks)
  } catch (error) {
    if (isMaxbrodError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}
