import type { OtherSelection } from '../../kafka/port/membership.ts'
import type { Metrics } from '../../observe/metrics.ts'
import type { Logger } from '../../observe/logger.ts'
import { backupMetrics } from '../metrics.ts'

export interface SelectionWatchDeps {
  readonly group: string
  readonly log: Logger
  readonly metrics: Metrics
  /** A leader that has not heard of a new topic yet, or is about to be started again like the others, is no alarm. */
  readonly patienceMs: number
}

const HINT =
  'give all workers of a group the same --topics and --exclude-topics, or this selection a group of its own with --group-id; maxbrod topics shows what a selection takes'

/** Tells of topics that this worker selects and nobody is given, because the leader of its group selects others. */
export class SelectionWatch {
  readonly #deps: SelectionWatchDeps
  /** What was told last, as long as it is so. */
  #told: string | undefined

  constructor(deps: SelectionWatchDeps) {
    this.#deps = deps
  }

  /** To be called again and again with what the group shares out instead. */
  look(other: OtherSelection | undefined, nowMs: number): void {
    const { group, log, metrics, patienceMs } = this.#deps
    const unshared = other !== undefined && nowMs - other.sinceMs >= patienceMs ? other : undefined
    metrics.of(backupMetrics).unsharedTopics.set(unshared?.count ?? 0)
    if (unshared === undefined || unshared.count === 0) {
      if (this.#told !== undefined) log.info({ group }, 'the group shares out all topics of this worker again')
      this.#told = undefined
      return
    }
    const { leader, topics, count } = unshared
    const now = JSON.stringify([leader, topics, count])
    if (this.#told === now) return
    this.#told = now
    const named = count > topics.length ? { topics, more: count - topics.length } : { topics }
    log.warn(
      { group, leader, ...named, hint: HINT },
      `${count === 1 ? 'a topic' : `${count} topics`} that this worker selects ${count === 1 ? 'is' : 'are'} backed up by nobody in its group, whose leader ${leader} selects others`,
    )
  }
}
