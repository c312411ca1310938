import type { Segment } from '../archive/cover.ts'
import type { Page, PartitionPart, RestoredTopic, TopicPart } from '../archive/report/model.ts'
import { count, seconds, things } from '../archive/report/words.ts'
import type { RestoringTarget } from '../executor/restore-progress.ts'
import type { ExecutorView } from '../executor/view.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'

export interface ExecutorShown {
  readonly nowMs: number
  readonly writer: string
  /** Undefined while nobody can tell. */
  readonly recordsPerSecond: number | undefined
}

/** What an executor shows of itself: the targets that it has met, by what it knows without asking anybody. Pure. */
export function pageOfExecutor(view: ExecutorView, { nowMs, writer, recordsPerSecond }: ExecutorShown): Page {
  const { planTopic, executor, planPartitions, targets, failed, recordsSent } = view
  const failures = new PartitionMap(failed.map(one => [one, one.message] as const))
  const planned = targets.reduce((sum, one) => sum + one.planned, 0)
  const restored = targets.reduce((sum, one) => sum + restoredOf(one), 0)
  const rate = recordsPerSecond === undefined ? '' : `, ${count(Math.round(recordsPerSecond))} records/s`
  const left =
    recordsPerSecond === undefined || recordsPerSecond <= 0 ? undefined : (planned - restored) / recordsPerSecond
  const eta = left === undefined || restored >= planned ? '' : `, ${seconds(Math.ceil(left))} to go`
  const status = failed.length > 0 ? 'FAILURE' : 'OK'
  const byTopic = [...Map.groupBy(targets, ({ topic }) => topic)]
  return {
    title: `Restore of ${planTopic}: one executor`,
    status,
    headline: `${count(restored)} of ${count(planned)} records of the partitions that this executor has met${rate}${eta}`,
    facts: [
      { name: 'executor', value: executor },
      { name: 'plan partitions', value: count(planPartitions) },
      { name: 'topics', value: count(byTopic.length) },
      { name: 'partitions', value: count(targets.length) },
      { name: 'records sent', value: count(recordsSent) },
      { name: 'cannot go on', value: count(failed.length) },
    ],
    notes: [
      ...failed.map(one => `${partitionName(one)}: ${one.message}`),
      `Other executors have pages of their own; maxbrod status --plan-topic ${planTopic} tells of the restore as a whole.`,
    ],
    restore: {
      title: 'Progress',
      status,
      says: `${count(restored)} of ${count(planned)} records${rate}${eta}`,
      recordsPlanned: planned,
      recordsRestored: restored,
      topics: byTopic.map(([topic, own]) => progressOf(topic, own)),
      notes: [],
    },
    coverage: {
      title: 'Partitions',
      legend: [
        { kind: 'FOUND', says: 'restored' },
        { kind: 'LATE', says: 'still to come' },
        { kind: 'LOST', says: 'cannot go on' },
      ],
      columns: ['planned', 'restored'],
      topics: byTopic.map(([topic, own]) => topicOf(topic, own, failures)),
      more: `maxbrod status --plan-topic ${planTopic}`,
    },
    madeAtMs: nowMs,
    writer,
  }
}

function progressOf(topic: string, own: readonly RestoringTarget[]): RestoredTopic {
  const done = own.filter(one => one.restored !== undefined && one.restored >= one.planned)
  return {
    topic,
    partitions: `${done.length} of ${own.length}`,
    recordsPlanned: own.reduce((sum, one) => sum + one.planned, 0),
    recordsRestored: own.reduce((sum, one) => sum + restoredOf(one), 0),
  }
}

function topicOf(name: string, own: readonly RestoringTarget[], failures: PartitionMap<string>): TopicPart {
  const partitions = own.toSorted((a, b) => a.partition - b.partition).map(one => partitionOf(one, failures.get(one)))
  const failed = partitions.filter(({ status }) => status === 'FAILURE')
  const ranges = own.flatMap(one => {
    const message = failures.get(one)
    return message === undefined ? [] : [`partition ${one.partition}: ${message}`]
  })
  return {
    name,
    status: failed.length > 0 ? 'FAILURE' : 'OK',
    says: `${things(own.length, 'partition')}${failed.length === 0 ? '' : `, ${failed.length} cannot go on`}`,
    partitions,
    ranges,
  }
}

function partitionOf(target: RestoringTarget, failure: string | undefined): PartitionPart {
  const { partition, planned, restored } = target
  const there = restoredOf(target)
  const segments: Segment[] = [
    { kind: 'FOUND', from: 0, to: there, reason: undefined },
    { kind: failure === undefined ? 'LATE' : 'LOST', from: there, to: planned, reason: failure },
  ]
  return {
    partition,
    status: failure === undefined ? 'OK' : 'FAILURE',
    segments: segments.filter(({ from, to = from }) => to > from),
    cells: [count(planned), restored === undefined ? 'not looked at yet' : count(restored)],
  }
}

function restoredOf({ planned, restored = 0 }: RestoringTarget): number {
  return Math.min(planned, restored)
}
