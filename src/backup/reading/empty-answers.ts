import type { PartitionPlace } from '../../format/keys.ts'
import type { Kafka } from '../../kafka/port.ts'
import { EmptyProbes } from './empty-probes.ts'
import type { PartitionCursor } from './partition-cursor.ts'
import type { PartitionPatience } from './partition-patience.ts'
import type { ReadingState } from './reading-state.ts'

export interface EmptyAnswersDeps {
  readonly place: PartitionPlace
  readonly kafka: Pick<Kafka, 'admin'>
  readonly cursor: PartitionCursor
  readonly state: ReadingState
  readonly patience: PartitionPatience
}

/** What an answer without records means for the position: it moves over what is certainly empty, and over nothing else. */
export class EmptyAnswers {
  readonly #deps: EmptyAnswersDeps
  readonly #probes = new EmptyProbes()

  constructor(deps: EmptyAnswersDeps) {
    this.#deps = deps
  }

  /** True when the next fetch must ask for this partition alone: only then does an empty answer mean anything. */
  get isProbing(): boolean {
    return this.#probes.isProbing
  }

  /** The position has moved. */
  reset(): void {
    this.#probes.reset()
  }

  async take(lastStableOffset: number, isAlone: boolean): Promise<void> {
    const { cursor, state, patience } = this.#deps
    const { position: asked, barrier } = cursor
    const end = this.#probes.answered(asked, lastStableOffset, isAlone)
    if (end === undefined) return
    const isLocal = await this.#isOnLeadersDisk()
    if (!state.isStillAt(asked)) return
    this.#probes.reset()
    if (isLocal) cursor.skipTo(Math.min(end, barrier))
    else patience.pause()
  }

  async #isOnLeadersDisk(): Promise<boolean> {
    const { place, kafka, cursor } = this.#deps
    const { offsets } = await kafka.admin.offsets('local log start', [place])
    const localStart = offsets.get(place)
    return localStart !== undefined && localStart <= cursor.position
  }
}
