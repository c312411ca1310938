import type { Kafka } from '../kafka/port.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { PlanFile, PlanHead } from '../format/plan.ts'
import { Movement } from './movement.ts'
import { checkPlanTopic, endOf, headsWith, readHeads, readPlanEntries } from './plan-reader.ts'
import { sumStatus } from './restore-sum.ts'
import type { ChainStatus, RestoreStatus } from './restore-sum.ts'

/** Between two looks, of which the difference tells the rate. */
const LOOK_MS = 2_000
/** What has not grown for so long stands still: between two looks, or for who waits, longer than executors take to start anew. */
const STALLED_MS = 1_500
const STALLED_WAITING_MS = 60_000

/**
 * How far a restore is, from the plan topic, the ends of the targets and the group's commits: no executor is asked. `onLook` is
 * told after each look. Without `isWaiting` it looks twice, for the rate; else until all is restored, or the signal aborts.
 */
export async function restoreStatus(
  { kafka, clock }: { readonly kafka: Kafka; readonly clock: Clock },
  {
    planTopic,
    groupId,
    isWaiting,
  }: { readonly planTopic: string; readonly groupId: string; readonly isWaiting: boolean },
  onLook: (status: RestoreStatus) => void,
  signal: AbortSignal,
): Promise<RestoreStatus> {
  let heads: readonly PlanHead[] = await readHeads(kafka, planTopic, signal)
  const head = await checkPlanTopic(kafka, planTopic, heads)
  const files: PlanFile[] = []
  const places = new PartitionMap<{ readonly partition: number; readonly lastOffset: number }>()
  const movement = new Movement()
  let before: { readonly atMs: number; readonly records: number } | undefined
  const positions = Array.from({ length: head.planPartitions }, () => 0)
  const isClosed = positions.map(() => false)
  for (;;) {
    for (const [partition, position] of positions.entries()) {
      const end = await endOf(kafka, planTopic, partition)
      let last: string | undefined
      for await (const { offset, entry } of readPlanEntries(kafka, planTopic, partition, position, end, head, signal)) {
        last = entry.kind
        if (entry.kind !== 'file') continue
        files.push(entry)
        places.set(entry.target, { partition, lastOffset: offset })
      }
      if (last !== undefined) isClosed[partition] = last === 'end'
      positions[partition] = end
    }
    const planned = [...places.keys()].map(({ topic }) => topic)
    heads = await headsWith(heads, planned, kafka, planTopic, signal)
    const known = { files, bases: basesOf(heads), places, planTopic, groupId, movement }
    const atMs = clock.monotonic()
    const chains = await chainsNow(kafka, known, atMs)
    const status = sumStatus(
      planTopic,
      chains,
      files,
      isClosed.every(Boolean),
      before === undefined ? undefined : { ...before, nowMs: atMs },
      isWaiting ? STALLED_WAITING_MS : STALLED_MS,
    )
    before ??= { atMs, records: status.recordsRestored }
    onLook(status)
    const isFirst = status.recordsPerSecond === undefined
    if (signal.aborted || status.isOver || (!isWaiting && !isFirst)) return status
    await clock.sleep(LOOK_MS, signal)
  }
}

function basesOf(heads: readonly PlanHead[]): PartitionMap<number> {
  const targets = heads.flatMap(head => head.targets)
  return new PartitionMap(
    targets.flatMap(({ topic, baseOffsets }) =>
      baseOffsets.map((base, partition) => [{ topic, partition }, base] as const),
    ),
  )
}

interface Known {
  readonly files: readonly PlanFile[]
  readonly bases: PartitionMap<number>
  readonly places: PartitionMap<{ readonly partition: number; readonly lastOffset: number }>
  readonly planTopic: string
  readonly groupId: string
  readonly movement: Movement
}

async function chainsNow(
  kafka: Kafka,
  { files, bases, places, planTopic, groupId, movement }: Known,
  nowMs: number,
): Promise<ChainStatus[]> {
  const planned = new PartitionMap<number>()
  for (const { target, recordsBefore, records } of files) planned.set(target, recordsBefore + records)
  const targets = [...planned.keys()]
  const plans = [...new Set([...places.values()].map(({ partition }) => partition))]
  const [starts, ends, committed] = await Promise.all([
    kafka.admin.offsets('log start', targets),
    kafka.admin.offsets('log end', targets),
    kafka.admin.committed(
      groupId,
      plans.map(partition => ({ topic: planTopic, partition })),
    ),
  ])
  for (const [where, end] of ends.offsets) {
    const place = places.get(where)
    if (place !== undefined) movement.note(place.partition, where, end, nowMs)
  }
  return targets.map((where: TopicPartition) => {
    const base = bases.get(where)
    if (base === undefined)
      throw new MaxbrodError('PLAN_CORRUPT', `the plan does not say where ${where.topic}-${where.partition} began`, {
        ...where,
      })
    const end = ends.offsets.get(where)
    const place = places.get(where)
    const passed =
      place === undefined ? 0 : (committed.get({ topic: planTopic, partition: place.partition })?.offset ?? 0)
    return {
      ...where,
      recordsPlanned: planned.get(where) ?? 0,
      recordsRestored: end === undefined ? 0 : Math.max(0, end - base),
      isPassed: place !== undefined && passed > place.lastOffset,
      isGone: end === undefined,
      stoodMs: place === undefined ? 0 : movement.stoodMs(place.partition, nowMs),
      isLosing: (starts.offsets.get(where) ?? 0) > base,
    }
  })
}
