import type { Clock } from '../runtime/clock.ts'
import type { TaskState } from './bar.ts'
import { Meter } from './meter.ts'
import type { Progress, Task, Work } from './progress.ts'

/** Keeps count of tasks; who watches says what is to be seen, at its own pace. */
export class WatchedTasks implements Progress {
  readonly #clock: Clock
  readonly #onEnd: (last: TaskState) => void
  readonly #tasks = new Set<WatchedTask>()

  constructor(clock: Clock, onEnd: (last: TaskState) => void) {
    this.#clock = clock
    this.#onEnd = onEnd
  }

  /** The running tasks, oldest first. */
  states(): TaskState[] {
    const nowMs = this.#clock.monotonic()
    return [...this.#tasks].map(task => task.state(nowMs))
  }

  task(label: string, work: Work): Task {
    const task = new WatchedTask(label, work, this.#clock.monotonic())
    this.#tasks.add(task)
    return {
      add: amount => task.add(amount),
      setTotal: total => task.setTotal(total),
      [Symbol.dispose]: () => {
        if (this.#tasks.delete(task)) this.#onEnd(task.end(this.#clock.monotonic()))
      },
    }
  }
}

class WatchedTask {
  readonly #label: string
  readonly #unit: Work['unit']
  readonly #startedAtMs: number
  readonly #doneBefore: number
  readonly #meter: Meter
  #done: number
  #total: number | undefined

  constructor(label: string, { unit, total, done = 0 }: Work, nowMs: number) {
    this.#label = label
    this.#unit = unit
    this.#startedAtMs = nowMs
    this.#doneBefore = done
    this.#meter = new Meter(nowMs, done)
    this.#done = done
    this.#total = total
  }

  add(amount: number): void {
    this.#done += amount
  }

  setTotal(total: number): void {
    this.#total = total
  }

  state(nowMs: number): TaskState {
    return {
      label: this.#label,
      unit: this.#unit,
      done: this.#done,
      total: this.#total,
      perSecond: this.#meter.perSecond(nowMs, this.#done),
      elapsedMs: nowMs - this.#startedAtMs,
    }
  }

  /** What stays to be read is the rate of the whole, not that of the last seconds. */
  end(nowMs: number): TaskState {
    const last = this.state(nowMs)
    const perSecond = ((this.#done - this.#doneBefore) * 1_000) / Math.max(1, last.elapsedMs)
    return { ...last, perSecond }
  }
}
