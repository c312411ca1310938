import type { PartitionPlace } from '../../format/keys.ts'
import { grantOnTopic } from '../../kafka/port/acl-command.ts'
import type { Kafka } from '../../kafka/port.ts'
import type { Trouble } from '../../kafka/port/trouble.ts'
import type { Logger } from '../../observe/logger.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import { readLogBounds } from '../resume/log-bounds.ts'
import { judgeOutOfRange } from './out-of-range.ts'
import type { PartitionCursor } from './partition-cursor.ts'
import type { Verdict } from './partition-deps.ts'
import type { PartitionPatience } from './partition-patience.ts'
import type { ReadingState } from './reading-state.ts'
import type { SameTopic } from './same-topic.ts'

export interface FetchTroublesDeps {
  readonly place: PartitionPlace
  readonly kafka: Kafka
  readonly cursor: PartitionCursor
  readonly state: ReadingState
  readonly patience: PartitionPatience
  readonly topic: SameTopic
  readonly log: Logger
  readonly onTopicReplaced: () => void
  readonly onTrouble: (error: unknown) => Promise<Verdict>
  readonly stop: (error: unknown) => void
}

/** What becomes of an answer that is an error: a gap, another topic, a wait, or the end of the partition. */
export class FetchTroubles {
  readonly #deps: FetchTroublesDeps

  constructor(deps: FetchTroublesDeps) {
    this.#deps = deps
  }

  /** Throws what the partition ends by. */
  async take({ name, kind }: Trouble): Promise<void> {
    const { place, topic, onTopicReplaced } = this.#deps
    if (kind === 'out of range') return this.#lookAtLog()
    if (kind === 'denied') {
      const hint = grantOnTopic(['Read', 'Describe'], place.topic)
      throw new MaxbrodError('KAFKA_AUTH', `cannot read ${partitionName(place)}: ${name}`, { ...place, hint })
    }
    if (kind === 'moved' && topic.isReplaced) onTopicReplaced()
    this.suffer(name)
  }

  /** Waits for an error to pass, and says so when it does not. */
  suffer(name: string): void {
    const error = this.#deps.patience.suffer(name)
    if (error !== undefined) void this.#tell(error)
  }

  async #tell(error: MaxbrodError): Promise<void> {
    if ((await this.#deps.onTrouble(error)) === 'stop') this.#deps.stop(error)
  }

  /** The log does not have our position: it begins behind it, or ends before it. */
  async #lookAtLog(): Promise<void> {
    const { place, kafka, cursor, state, patience, topic, log, onTopicReplaced } = this.#deps
    const { position } = cursor
    const bounds = (await readLogBounds(kafka, [place])).get(place)
    await kafka.routes.refresh([place.topic])
    // The bounds are those of whatever has the topic's name; another topic's say nothing about our offsets.
    if (topic.isReplaced) return onTopicReplaced()
    patience.pause()
    if (!state.isStillAt(position)) return
    if (bounds === undefined || bounds instanceof MaxbrodError) return // asked again after the next fetch
    const verdict = judgeOutOfRange(place, position, cursor.lastEpoch, bounds)
    if (verdict.kind === 'gap') cursor.declareGap(verdict.to, 'retention')
    else if (verdict.kind === 'unknown epoch') {
      log.warn({ position }, 'cannot tell whether the log still has what was read; reading on')
      cursor.forgetEpoch()
      state.check()
    }
  }
}
