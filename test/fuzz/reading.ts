import assert from 'node:assert/strict'
import { DecodeError } from '../../src/format/batch/varint.ts'
import type { RecordReader } from '../../src/format/transcode/avro-records.ts'
import { blockToBatches } from '../../src/format/transcode/to-batches.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { decodeBatches } from '../helpers/plain-batch.ts'
import type { TileReading } from '../helpers/read-tile.ts'
import type { DigestRecord } from '../helpers/records.ts'

/** An error that says what is wrong with the input. Any other is a defect of ours. */
export function assertTyped(error: unknown): void {
  if (error instanceof MaxbrodError || error instanceof DecodeError) return
  throw new Error('an error without a type', { cause: error })
}

/** What `read` gives, or undefined when it refuses for a reason with a type. */
export async function orRefused<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    assertTyped(error)
    return undefined
  }
}

/** What a restore would send of a file's blocks, source offsets put back; undefined when one of them is refused. */
export async function restoredFrom(
  { blocks }: TileReading,
  reader: RecordReader,
  covers: { readonly from: number; readonly to: number },
): Promise<DigestRecord[] | undefined> {
  const pool = new CountingPool()
  const made: DigestRecord[] = []
  let after = covers.from - 1
  for (const block of blocks) {
    const slice = { ...block, fromOffset: 0, toOffset: covers.to, skip: 0, after, coversTo: covers.to }
    const taken = await orRefused(() => blockToBatches(slice, reader, 2_000, pool))
    if (taken === undefined) {
      assert.equal(pool.taken, 0, 'a refused block keeps a buffer')
      return undefined
    }
    after = taken.lastOffset
    for (const { builder } of taken.batches) {
      const batch = await builder.finish('none', { producerId: 1n, producerEpoch: 0, baseSequence: 0 })
      assert.ok(batch.length <= 2_000 || builder.records === 1)
      for (const record of decodeBatches(Buffer.from(batch))[0]!.records)
        made.push({
          ...record,
          offset: BigInt(String(record.headers.at(-1)![1])),
          headers: record.headers.slice(0, -1),
        })
      builder.release()
    }
  }
  assert.equal(pool.taken, 0)
  return made
}
