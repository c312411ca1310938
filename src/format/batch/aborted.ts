import { recordsIn } from './records.ts'
import type { RecordBatch } from './record-batch.ts'
import { DecodeError } from './varint.ts'

/** One entry of a fetch answer's list of aborted transactions. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/**
 * Tells, batch after batch of one fetch answer, which hold records of aborted transactions: the Java consumer's rule
 * (`CompletedFetch.nextFetchedRecord`). The broker lists aborted transactions by their markers, not by their first
 * offsets, hence the sort. Keys of data records are never looked at: a key may look like a marker.
 */
export class AbortedFilter {
  readonly #upcoming: AbortedTransaction[]
  readonly #aborting = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = aborted.toSorted((a, b) => b.firstOffset - a.firstOffset)
  }

  /** True when the batch's records were never committed. Must be asked for each batch of the answer, in order. */
  drops(batch: RecordBatch): boolean {
    for (let next = this.#upcoming.at(-1); next !== undefined && next.firstOffset < batch.nextOffset;) {
      this.#aborting.add(next.producerId)
      this.#upcoming.pop()
      next = this.#upcoming.at(-1)
    }
    if (this.#aborting.size === 0) return false
    if (isAbortMarker(batch)) this.#aborting.delete(batch.producerId)
    return batch.isTransactional && this.#aborting.has(batch.producerId)
  }
}

const ABORT = 0

/**
 * True for a control batch that ends a transaction by abort. Compaction may leave a control batch empty; such a one
 * marks nothing. Source: Kafka documentation, "Control Batches" (key: version int16, type int16; 0 is abort).
 */
function isAbortMarker(batch: RecordBatch): boolean {
  if (!batch.isControl) return false
  if (batch.codec !== 'none') throw new DecodeError('a compressed control batch, which no broker writes')
  const [marker] = recordsIn(batch, batch.payload)
  return (
    marker?.key !== undefined && marker.key !== null && marker.key.length >= 4 && marker.key.readInt16BE(2) === ABORT
  )
}
