import type { SourceOffset } from '../format/batch/source-offsets.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { ReadBatch } from './source-index.ts'

/**
 * Where the restored records of a partition begin and end that no plan speaks of: restored ones stand together, with what others
 * wrote before or behind them. Throws TARGET_SPOILED when the partition holds records and neither its first nor its last one was
 * restored.
 */
export async function restoredRange(
  where: TopicPartition,
  read: ReadBatch,
  start: number,
  end: number,
): Promise<{ readonly start: number; readonly end: number }> {
  const first = await firstAt(read, start, end)
  if (first === undefined) return { start, end }
  const last = await lastBefore(read, start, end)
  if (first.source !== undefined && last?.source !== undefined) return { start, end }
  if (first.source !== undefined) return { start, end: await border(read, first.offset, end, isRestored) }
  if (last?.source !== undefined)
    return { start: await border(read, first.offset, last.offset, one => !isRestored(one)), end }
  throw new MaxbrodError('TARGET_SPOILED', `${partitionName(where)} does not hold restored records`, {
    ...where,
    hint: 'name the plan of the restore with --plan-topic, and check --target-prefix and --rename',
  })
}

function isRestored({ source }: SourceOffset): boolean {
  return source !== undefined
}

/** The offset behind the last record that is `still` so; the record at `from` is, and from some point on none is. */
async function border(
  read: ReadBatch,
  from: number,
  to: number,
  still: (record: SourceOffset) => boolean,
): Promise<number> {
  let low = from
  let high = to
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const record = await firstAt(read, middle, high)
    if (record === undefined || !still(record)) high = middle
    else low = record.offset
  }
  return low + 1
}

async function firstAt(read: ReadBatch, offset: number, to: number): Promise<SourceOffset | undefined> {
  return (await read(offset, to)).find(one => one.offset >= offset && one.offset < to)
}

async function lastBefore(read: ReadBatch, start: number, end: number): Promise<SourceOffset | undefined> {
  for (let step = 1, to = end; to > start; step *= 2) {
    const from = Math.max(start, to - step)
    let found: SourceOffset | undefined
    for (let at = from; at < to;) {
      const last = (await read(at, to)).findLast(one => one.offset >= at && one.offset < to)
      if (last === undefined) break
      found = last
      at = last.offset + 1
    }
    if (found !== undefined) return found
    to = from
  }
  return undefined
}
