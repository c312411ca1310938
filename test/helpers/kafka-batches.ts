import type { PlainBatch } from './plain-batch.ts'
import { encodeBatch } from './plain-batch.ts'

/** A finished batch, one record for each value; with a producer, as its sequence says. */
export function batchOf(
  values: readonly string[],
  shape: Partial<Pick<PlainBatch, 'producerId' | 'baseSequence' | 'baseTimestamp'>> = {},
): Buffer {
  const timestamp = shape.baseTimestamp ?? BigInt(Date.now())
  const records = values.map((value, index) => ({
    offset: BigInt(index),
    timestamp,
    key: null,
    value: Buffer.from(value),
    headers: [],
  }))
  return encodeBatch(records, {
    leaderEpoch: -1,
    ...(shape.producerId === undefined ? {} : { producerEpoch: 0 }),
    ...shape,
  })
}
