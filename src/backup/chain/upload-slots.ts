import { ByteBudget } from '../../runtime/byte-budget.ts'
import { newLimit } from '../../runtime/limit.ts'
import { HELD_BYTES_MAX } from './tile-body.ts'

/** Runs an upload of a file of so many bytes when its turn has come. */
export type UploadSlots = <T>(bytes: number, upload: () => Promise<T>) => Promise<T>

const FILES = 16
const FULL_SIZE_FILES = 4

/**
 * Bounds what is uploaded at the same time: a few files of the usual size, each with its bytes in memory, or many small ones.
 * Thousands of partitions with little in them come of age together, and each upload waits for the store, not for bytes.
 */
export function newUploadSlots(): UploadSlots {
  const limit = newLimit(FILES)
  const memory = new ByteBudget(FULL_SIZE_FILES * HELD_BYTES_MAX)
  return (bytes, upload) =>
    limit(async () => {
      using _held = await memory.take(Math.min(bytes, HELD_BYTES_MAX))
      return await upload()
    })
}
