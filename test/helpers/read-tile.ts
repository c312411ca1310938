import assert from 'node:assert/strict'
import { readTileBlocks } from '../../src/catalog/tile-blocks.ts'
import type { FileHeader } from '../../src/catalog/tile-header-reader.ts'
import type { TileKey } from '../../src/format/keys.ts'
import { tileKey } from '../../src/format/keys.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { CountingPool } from './counting-pool.ts'
import { eventually } from './eventually.ts'
import { bodyOf } from './object-bodies.ts'

/** What came out of a file before it ended, or before it turned out to be damaged. */
export interface TileReading {
  readonly blocks: readonly { readonly bytes: Buffer; readonly records: number }[]
  readonly header: FileHeader | undefined
  /** Undefined when the file ended well. */
  readonly error: unknown
}

/** Reads a file's bytes by catalog/tile-blocks.ts out of a store in memory, and checks that no memory is kept. */
export async function readTile(
  bytes: Buffer,
  place: TileKey,
  { maxRecordBytes = 128 * 1024 * 1024, budgetBytes = 256 * 1024 * 1024 } = {},
): Promise<TileReading> {
  const key = tileKey(place, place.from)
  const store = newMemoryStore()
  const put = await store.put(key, bodyOf(bytes), {})
  assert.ok(put.created)
  const budget = new ByteBudget(budgetBytes)
  const pool = new CountingPool()
  const limits = { pool, budget, maxRecordBytes, signal: new AbortController().signal }
  const blocks: { bytes: Buffer; records: number }[] = []
  let header: FileHeader | undefined
  let error: unknown
  try {
    const source = { store, key, place, etag: put.etag }
    for await (const block of readTileBlocks(source, limits, said => (header = said))) {
      blocks.push({ bytes: Buffer.from(block.bytes), records: block.records })
      block[Symbol.dispose]()
    }
  } catch (thrown) {
    error = thrown
  }
  // Blocks that were read ahead are still being decoded when an error ends the reading.
  const isFree = () => budget.usedBytes === 0 && pool.taken === 0
  if (!isFree()) await eventually('all memory is given back', isFree, { everyMs: 1 })
  return { blocks, header, error }
}
