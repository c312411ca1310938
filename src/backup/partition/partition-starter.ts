import type { CommittedOffset } from '../../kafka/port/admin.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import { isAborted } from '../../runtime/aborted.ts'
import { MaxbrodError, isMaxbrodError } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import { PartitionMap, partitionName } from '../../runtime/topic-partition.ts'
import type { WorkerContext } from '../deps.ts'
import { readLogBounds } from '../resume/log-bounds.ts'
import type { Verdict } from '../reading/partition-deps.ts'
import type { LogBounds } from '../resume/resume.ts'

export interface StartDeps {
  readonly context: WorkerContext
  /** Begins with a partition, about which the cluster has said this. */
  readonly begin: (ownership: Ownership, committed: CommittedOffset | undefined, bounds: LogBounds) => Promise<void>
  /** Told before the store is asked. */
  readonly onAsking: () => void
  /** Waits if there is a point in it, and says what happens. */
  readonly onTrouble: (error: unknown, ownership: Ownership) => Promise<Verdict>
  readonly onFatal: (error: unknown) => void
  readonly onStopped: (ownership: Ownership, error: unknown) => void
}

/** Partitions that find their resume point at the same time: each asks the store and the cluster a few things. */
const RESUMING = 32

/** Starts partitions as soon as the cluster and the store have said where: again and again, while there is hope. */
export class PartitionStarter {
  readonly #deps: StartDeps
  readonly #resuming = newLimit(RESUMING)

  constructor(deps: StartDeps) {
    this.#deps = deps
  }

  start(ownerships: readonly Ownership[]): void {
    void this.#start(ownerships).catch((error: unknown) => this.#notAsked(ownerships, error))
  }

  /** Asks the cluster about all of them at once, then the store about each. */
  async #start(ownerships: readonly Ownership[]): Promise<void> {
    const { kafka, groupId } = this.#deps.context
    const topics = [...new Set(ownerships.map(({ topic }) => topic))]
    await kafka.routes.refresh(topics)
    const topicIds = new PartitionMap(ownerships.map(one => [one, kafka.routes.leader(one)?.topicId] as const))
    const [committed, bounds] = await Promise.all([
      kafka.admin.committed(groupId, ownerships),
      readLogBounds(kafka, ownerships),
    ])
    await kafka.routes.refresh(topics)
    this.#deps.onAsking()
    await Promise.all(
      ownerships.map(ownership =>
        this.#resuming(async () => {
          // The bounds are those of whatever had the topic's name: the topic may have been created anew since.
          const isSame = kafka.routes.leader(ownership)?.topicId === topicIds.get(ownership)
          if (isSame) await this.#startOne(ownership, committed.get(ownership), bounds.get(ownership))
          else if (!ownership.ended.aborted) this.start([ownership])
        }),
      ),
    )
  }

  /** The cluster could not be asked about partitions that were to be started. */
  async #notAsked(ownerships: readonly Ownership[], error: unknown): Promise<void> {
    const { onTrouble, onFatal, onStopped } = this.#deps
    const left = ownerships.filter(({ ended }) => !ended.aborted)
    const [first] = left
    if (isAborted(error) || first === undefined) return
    if (!isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')) return onFatal(error)
    const verdict = await onTrouble(error, first)
    if (verdict === 'try again') this.start(left)
    else if (verdict === 'stop') for (const ownership of left) onStopped(ownership, error)
  }

  async #startOne(
    ownership: Ownership,
    committed: CommittedOffset | undefined,
    bounds: LogBounds | MaxbrodError | undefined,
  ): Promise<void> {
    const { begin, onTrouble, onFatal, onStopped } = this.#deps
    if (ownership.ended.aborted) return
    try {
      if (bounds === undefined || bounds instanceof MaxbrodError)
        throw bounds ?? new Error(`no bounds of ${partitionName(ownership)}`)
      await begin(ownership, committed, bounds)
    } catch (error) {
      if (ownership.ended.aborted || isAborted(error)) return
      if (isMaxbrodError(error, 'FOREIGN_ARCHIVE')) return onFatal(error)
      const verdict = await onTrouble(error, ownership)
      if (ownership.ended.aborted) return
      if (verdict === 'try again') this.start([ownership])
      else if (verdict === 'stop') onStopped(ownership, error)
    }
  }
}
