import type { PlanFile } from '../format/plan.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Progress, Task } from '../observe/progress.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { executorMetrics } from './metrics.ts'

export interface RestoringTarget extends TopicPartition {
  /** Records. */
  readonly planned: number
  /** Undefined while nobody has looked. */
  readonly restored: number | undefined
}

/** How far the chains of this executor are, per topic, as bars and gauges. */
export class RestoreProgress implements Disposable {
  readonly #progress: Progress
  readonly #metrics
  readonly #topics = new Map<string, { task: Task | undefined; planned: number; restored: number }>()
  readonly #planned = new PartitionMap<number>()
  readonly #counts = new PartitionMap<number>()

  constructor(progress: Progress, metrics: Metrics) {
    this.#progress = progress
    this.#metrics = metrics.of(executorMetrics)
  }

  /** A file of a chain, maybe one that was met before: a plan partition can leave and come back. */
  planned({ target, recordsBefore, records }: PlanFile): void {
    const before = this.#planned.get(target) ?? 0
    const planned = Math.max(before, recordsBefore + records)
    this.#planned.set(target, planned)
    const topic = this.#topic(target.topic)
    topic.planned += planned - before
    topic.task?.setTotal(topic.planned)
    this.#metrics.plannedRecords.set(topic.planned, { topic: target.topic })
  }

  counted(target: PlanFile['target'], count: number): void {
    const before = this.#counts.get(target)
    this.#counts.set(target, count)
    const topic = this.#topic(target.topic)
    topic.restored += count - (before ?? 0)
    topic.task ??= this.#progress.task(target.topic, {
      unit: 'records',
      total: topic.planned,
      done: topic.restored - (count - (before ?? 0)),
    })
    // What was there before this executor looked counts as done, not for the rate; a truncated target counts backwards.
    if (before !== undefined) topic.task.add(count - before)
    else topic.task.add(count)
    this.#metrics.restoredRecords.set(topic.restored, { topic: target.topic })
  }

  /** What is known of each target that this executor has met: the plan may go on to another one. */
  get targets(): readonly RestoringTarget[] {
    return [...this.#planned].map(([where, planned]) => {
      const restored = this.#counts.get(where)
      return { topic: where.topic, partition: where.partition, planned, restored }
    })
  }

  [Symbol.dispose](): void {
    for (const { task } of this.#topics.values()) task?.[Symbol.dispose]()
    this.#topics.clear()
  }

  #topic(name: string): { task: Task | undefined; planned: number; restored: number } {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = { task: undefined, planned: 0, restored: 0 }
      this.#topics.set(name, topic)
    }
    return topic
  }
}
