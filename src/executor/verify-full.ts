import { recordsIn } from '../format/batch/records.ts'
import type { KafkaRecord } from '../format/batch/records.ts'
import { batchesIn } from '../format/batch/record-batch.ts'
import { chainName } from '../format/plan.ts'
import type { PlanFile, PlanHead } from '../format/plan.ts'
import { planPartitionOf } from '../format/plan-partition.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { readChain } from './chain-source.ts'
import type { PlanCount } from './count-restored.ts'
import type { ExecutorDeps } from './deps.ts'
import type { ExecutorOptions } from './options.ts'
import { endOf, readPlanEntries } from './plan-reader.ts'
import type { Targets } from './targets.ts'

/** Batches in which the archive's side is read; nobody receives them. */
const BATCH_BYTES = 1024 * 1024

/**
 * Reads complete chains again, from the targets and from the archive, and compares every record: key, value, headers in
 * order, timestamp. Throws TARGET_SPOILED at the first difference, with partition and offset.
 */
export async function verifyChains(
  deps: ExecutorDeps,
  options: ExecutorOptions,
  targets: Targets,
  counts: readonly PlanCount[],
  signal: AbortSignal,
): Promise<void> {
  const files = await readFiles(deps, options.planTopic, targets.head, counts, signal)
  const byTarget = Map.groupBy(files, ({ target }) => partitionName(target))
  for (const { topic, partition, due, restored } of counts) {
    if (restored < due) continue
    // A plan that has grown meanwhile may have files that nobody has begun.
    const own = (byTarget.get(partitionName({ topic, partition })) ?? []).filter(
      ({ recordsBefore, records }) => recordsBefore + records <= restored,
    )
    await verifyChain(deps, options, own, targets.baseOffset(topic, partition), signal)
  }
}

async function readFiles(
  { kafka }: ExecutorDeps,
  planTopic: string,
  head: PlanHead,
  counts: readonly PlanCount[],
  signal: AbortSignal,
): Promise<PlanFile[]> {
  const files: PlanFile[] = []
  for (const partition of new Set(counts.map(count => planPartitionOf(chainName(count), head.planPartitions)))) {
    const end = await endOf(kafka, planTopic, partition)
    for await (const { entry } of readPlanEntries(kafka, planTopic, partition, 0, end, head, signal))
      if (entry.kind === 'file') files.push(entry)
  }
  return files.toSorted((a, b) => a.index - b.index)
}

async function verifyChain(
  deps: ExecutorDeps,
  { maxRecordBytes, memory }: ExecutorOptions,
  files: readonly PlanFile[],
  base: number,
  signal: AbortSignal,
): Promise<void> {
  const target = files[0]?.target
  const last = files.at(-1)
  if (target === undefined || last === undefined) return
  const end = base + last.recordsBefore + last.records
  const limits = { pool: deps.pool, budget: new ByteBudget(memory), maxRecordBytes, signal }
  const expected = readChain(files, { store: deps.store, limits, batchBytes: BATCH_BYTES, tail: undefined })
  const actual = deps.kafka.readRecords(target, base, end, signal)[Symbol.asyncIterator]()
  let offset = base
  for await (const item of expected) {
    if (item.kind !== 'batches') continue
    using _ = item
    for (const { builder } of item.batches) {
      const bytes = await builder.finish('none', { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      for (const batch of batchesIn(bytes)) {
        for (const record of recordsIn(batch, batch.payload)) {
          const found = await actual.next()
          if (found.done === true || found.value.offset !== offset || !isSame(record, found.value)) {
            throw new MaxbrodError(
              'TARGET_SPOILED',
              `${partitionName(target)} differs from the archive at offset ${offset}`,
              { ...target, offset, hint: 'restore this topic again under another name' },
            )
          }
          offset++
        }
      }
      builder.release()
    }
  }
}

function isSame(a: KafkaRecord, b: KafkaRecord): boolean {
  return (
    a.timestamp === b.timestamp &&
    isSameBytes(a.key, b.key) &&
    isSameBytes(a.value, b.value) &&
    a.headers.length === b.headers.length &&
    a.headers.every((header, index) => {
      const other = b.headers[index]
      return other !== undefined && header.key.equals(other.key) && isSameBytes(header.value, other.value)
    })
  )
}

function isSameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b)
}
