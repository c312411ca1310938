import type { Kafka } from '../../kafka/port.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'

/**
 * Whether the topic is still the one that was read. Old brokers give whatever has the topic's name. Topic ids never come
 * back: if the topic is still ours, all that was read before is. If it is not, what is not durable may be of either topic.
 */
export class SameTopic {
  readonly #place: TopicPartition
  readonly #topicId: string | undefined
  readonly #kafka: Kafka
  /** True once records came that no topic id vouches for. */
  #isReadByName = false

  constructor(place: TopicPartition, topicId: string | undefined, kafka: Kafka) {
    this.#place = place
    this.#topicId = topicId
    this.#kafka = kafka
  }

  read(isNamedById: boolean): void {
    this.#isReadByName ||= !isNamedById
  }

  /** As far as the routes know. */
  get isReplaced(): boolean {
    const leader = this.#kafka.routes.leader(this.#place)
    return leader !== undefined && leader.topicId !== this.#topicId
  }

  /** False when what was read may be of another topic. Throws when the cluster does not tell, or is another one. */
  async mayUpload(): Promise<boolean> {
    if (!this.#isReadByName) return true
    const found = await this.#kafka.admin.topics([this.#place.topic])
    return found.every(({ error, topicId }) => error !== undefined || topicId === this.#topicId)
  }
}
