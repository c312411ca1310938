import { compareRecords } from '../archive/compare-records.ts'
import type { Difference } from '../archive/compare-records.ts'
import { plannedRecords } from '../archive/planned-records.ts'
import { problemOf } from '../archive/survey.ts'
import { readHeads, readPlanEntries, endOf } from '../executor/plan-reader.ts'
import type { PlanFile } from '../format/plan.ts'
import type { Kafka } from '../kafka/port.ts'
import type { ReadRecord } from '../kafka/port/fetching.ts'
import type { Progress } from '../observe/progress.ts'
import { must } from '../runtime/assert.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import { ByteBudget } from '../runtime/byte-budget.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import type { Throttle } from '../runtime/throttle.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { PartitionMap, TopicPartition } from '../runtime/topic-partition.ts'
import type { ObjectStore } from '../storage/port.ts'

export interface CompareDeps {
  readonly kafka: Kafka
  readonly store: ObjectStore
  readonly pool: BufferPool
  readonly progress: Progress
  readonly throttle: Throttle
}

/** What was found in one partition of the backup. */
export interface ComparedPartition extends TopicPartition {
  readonly restoredTopic: string
  readonly files: number
  /** Of the archive, all of which were looked for. */
  readonly records: number
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
  readonly differences: number
  /** A file that cannot be read to its end: nothing behind it was compared. */
  readonly unreadable: string | undefined
}

export interface PlacedDifference extends TopicPartition, Difference {}

export interface Comparison {
  readonly partitions: readonly ComparedPartition[]
  /** All there are, up to a limit that keeps a broken restore from filling the memory. */
  readonly differences: readonly PlacedDifference[]
}

/** Partitions compared at the same time. */
const PARTITIONS = 4
const NAMED_DIFFERENCES = 10_000

export interface ComparisonOptions {
  readonly planTopic: string
  readonly memory: number
  readonly maxRecordBytes: number
  /** Of target partitions that could not be restored whole: so many records of each are there, which is told elsewhere. */
  readonly incomplete: PartitionMap<number>
}

/** Reads what a plan restored, as a consumer would, and its files, and compares every record. */
export async function compareRestored(
  deps: CompareDeps,
  { planTopic, memory, maxRecordBytes, incomplete }: ComparisonOptions,
  signal: AbortSignal,
): Promise<Comparison> {
  const { store, pool, progress } = deps
  const chains = await chainsOf(deps.kafka, planTopic, signal)
  const limits = { pool, budget: new ByteBudget(memory), maxRecordBytes, signal }
  const total = chains.flatMap(({ files }) => files).reduce((sum, { records }) => sum + records, 0)
  using task = progress.task('comparing', { unit: 'records', total })
  const differences: PlacedDifference[] = []
  const compareOne = async ({ target, files }: Chain): Promise<ComparedPartition> => {
    signal.throwIfAborted()
    const { topic, partition } = must(files[0], 'file').source
    const found = {
      records: 0,
      differences: 0,
      min: undefined as bigint | undefined,
      max: undefined as bigint | undefined,
    }
    let unreadable: string | undefined
    try {
      await compareRecords(
        firstOf(plannedRecords(store, files, limits), incomplete.get(target)),
        restoredRecords(deps, target, signal),
        ({ timestamp }) => {
          const at = BigInt(timestamp)
          found.records++
          if (found.min === undefined || at < found.min) found.min = at
          if (found.max === undefined || at > found.max) found.max = at
          task.add(1)
        },
        difference => {
          found.differences++
          if (differences.length < NAMED_DIFFERENCES) differences.push({ topic, partition, ...difference })
        },
      )
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      const key = error instanceof MaxbrodError ? error.facts['key'] : undefined
      unreadable = `${typeof key === 'string' ? `${key}: ` : ''}${problem}`
    }
    return {
      topic,
      partition,
      restoredTopic: target.topic,
      files: files.length,
      records: found.records,
      timestampMin: found.min,
      timestampMax: found.max,
      differences: found.differences,
      unreadable,
    }
  }
  const limit = newLimit(PARTITIONS)
  const partitions = await Promise.all(chains.map(chain => limit(() => compareOne(chain))))
  return { partitions, differences: differences.toSorted(byPlace) }
}

interface Chain {
  readonly target: TopicPartition
  readonly files: readonly PlanFile[]
}

/** The files of each target partition, in the order in which they were restored. */
async function chainsOf(kafka: Kafka, planTopic: string, signal: AbortSignal): Promise<Chain[]> {
  const head = must((await readHeads(kafka, planTopic, signal))[0], 'head')
  const files: PlanFile[] = []
  for (let partition = 0; partition < head.planPartitions; partition++) {
    const end = await endOf(kafka, planTopic, partition)
    for await (const { entry } of readPlanEntries(kafka, planTopic, partition, 0, end, head, signal))
      if (entry.kind === 'file') files.push(entry)
  }
  const chains = Map.groupBy(files, ({ target }) => partitionName(target))
  return [...chains.values()].map(own => ({
    target: must(own[0], 'file').target,
    files: own.toSorted((a, b) => a.index - b.index),
  }))
}

async function* firstOf<T>(all: AsyncIterable<T>, count = Infinity): AsyncGenerator<T> {
  let left = count
  if (left <= 0) return
  for await (const one of all) {
    yield one
    if (--left <= 0) return
  }
}

/** All that a consumer reads in a partition, from its beginning to its end. */
async function* restoredRecords(
  { kafka, throttle }: CompareDeps,
  target: TopicPartition,
  signal: AbortSignal,
): AsyncGenerator<ReadRecord> {
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', [target]),
    kafka.admin.offsets('high watermark', [target]),
  ])
  const [start, end] = [starts.offsets.get(target), ends.offsets.get(target)]
  if (start === undefined || end === undefined)
    throw new MaxbrodError('KAFKA_GAVE_UP', `cannot read ${partitionName(target)} back: ${ends.failed.get(target)}`)
  let bytes = 0
  for await (const record of kafka.readRecords(target, start, end, signal)) {
    bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
    if (bytes > THROTTLED_BYTES) {
      await throttle.take(bytes, signal)
      bytes = 0
    }
    yield record
  }
}

/** So much is read before the rate is looked at. */
const THROTTLED_BYTES = 256 * 1024

function byPlace(a: PlacedDifference, b: PlacedDifference): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition || (a.offset ?? Infinity) - (b.offset ?? Infinity)
}
