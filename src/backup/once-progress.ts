import type { Progress, Task } from '../observe/progress.ts'
import type { OnceTargets } from './once.ts'
import type { PartitionBackup } from './partition/partition.ts'

/** Progress of a backup that ends: offsets read of those that were there at the start, one line per topic. */
export class OnceProgress implements Disposable {
  readonly #targets: OnceTargets | undefined
  readonly #progress: Progress
  readonly #topics = new Map<string, { readonly task: Task; total: number; done: number }>()

  constructor(progress: Progress, targets: OnceTargets | undefined) {
    this.#progress = progress
    this.#targets = targets
  }

  update(partitions: Iterable<PartitionBackup>): void {
    if (this.#targets === undefined) return
    const totals = new Map<string, { total: number; done: number }>()
    for (const partition of partitions) {
      const { topic } = partition.ownership
      const end = this.#targets.ends.get(partition.ownership)?.end ?? partition.startedAt
      const sum = totals.get(topic) ?? { total: 0, done: 0 }
      sum.total += Math.max(0, end - partition.startedAt)
      sum.done += Math.max(0, Math.min(partition.position, end) - partition.startedAt)
      totals.set(topic, sum)
    }
    for (const [topic, sum] of totals) if (sum.total > 0) this.#show(topic, sum)
  }

  [Symbol.dispose](): void {
    for (const { task } of this.#topics.values()) task[Symbol.dispose]()
    this.#topics.clear()
  }

  #show(topic: string, { total, done }: { total: number; done: number }): void {
    let shown = this.#topics.get(topic)
    if (shown === undefined) {
      shown = { task: this.#progress.task(topic, { unit: 'records', total }), total, done: 0 }
      this.#topics.set(topic, shown)
    }
    if (shown.total !== total) shown.task.setTotal(total)
    if (done > shown.done) shown.task.add(done - shown.done)
    shown.total = total
    shown.done = Math.max(done, shown.done)
  }
}
