import type { BatchCodec } from '../format/batch/record-batch.ts'
import { BATCH_CODECS } from '../format/batch/record-batch.ts'
import { brokenHold } from '../format/hold.ts'
import type { PlanHead } from '../format/plan.ts'
import type { ConfigEntry, Kafka } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** What an executor knows of a target topic. */
export interface TargetFacts {
  readonly topic: string
  readonly baseOffsets: readonly number[]
  /** Largest batch that the topic takes. */
  readonly maxBatchBytes: number
  /** How the topic wants its batches; undefined when it leaves that to producers. */
  readonly codec: BatchCodec | undefined
}

const DEFAULT_MAX_BATCH_BYTES = 1_048_588

/** The targets of a restore, as the plan's heads name them and the cluster has them. */
export class Targets {
  readonly #kafka: Kafka
  #heads: readonly PlanHead[]

  constructor(kafka: Kafka, heads: readonly PlanHead[]) {
    this.#kafka = kafka
    this.#heads = heads
  }

  get restoreId(): string {
    return this.#heads[0]?.restoreId ?? ''
  }

  /** Takes heads that were read later: a planner may have added targets. */
  learn(heads: readonly PlanHead[]): void {
    this.#heads = heads
  }

  /** Who appends: the same for all targets. */
  get producerId(): bigint {
    return BigInt(this.#heads[0]?.producerId ?? -1)
  }

  has(topic: string): boolean {
    return this.#planned(topic) !== undefined
  }

  /**
   * Checks that a target is the topic that was planned and still held, and says what a chain must know of it. Throws
   * TARGET_REPLACED, TARGET_CHANGED.
   */
  async inspect(topic: string): Promise<TargetFacts> {
    const planned = this.#planned(topic)
    if (planned === undefined)
      throw new MaxbrodError('PLAN_CORRUPT', `the plan has files for ${topic} and no head that names it`, {
        topic,
        hint: 'run maxbrod plan again',
      })
    const { target, hold } = planned
    const [found] = await this.#kafka.admin.topics([topic])
    if (found === undefined || found.topicId !== target.topicId) {
      throw new MaxbrodError(
        'TARGET_REPLACED',
        `${topic} is ${found === undefined ? 'gone' : 'another topic'} since the restore was planned`,
        { topic, hint: 'plan again into a new --plan-topic' },
      )
    }
    const configs = (await this.#kafka.admin.topicConfigs([topic])).get(topic) ?? []
    if (hold === 'auto') checkHold(topic, configs)
    return {
      topic,
      baseOffsets: target.baseOffsets,
      maxBatchBytes: Number(valueOf(configs, 'max.message.bytes') ?? DEFAULT_MAX_BATCH_BYTES),
      codec: codecOf(valueOf(configs, 'compression.type')),
    }
  }

  /** Where a target partition began. */
  baseOffset(topic: string, partition: number): number {
    const base = this.#planned(topic)?.target.baseOffsets[partition]
    if (base === undefined)
      throw new MaxbrodError('PLAN_CORRUPT', `the plan does not say where ${topic}-${partition} began`, {
        topic,
        partition,
        hint: 'run maxbrod plan again',
      })
    return base
  }

  /** True when the restore keeps this target's records from being deleted. */
  isHeld(topic: string): boolean {
    return this.#planned(topic)?.hold === 'auto'
  }

  #planned(topic: string): { target: PlanHead['targets'][number]; hold: PlanHead['hold'] } | undefined {
    for (const { targets, hold } of this.#heads) {
      const target = targets.find(one => one.topic === topic)
      if (target !== undefined) return { target, hold }
    }
    return undefined
  }
}

function checkHold(topic: string, configs: readonly ConfigEntry[]): void {
  const broken = brokenHold(configs)
  if (broken.length === 0) return
  throw new MaxbrodError('TARGET_CHANGED', `${topic} is no longer held: ${broken.join(', ')}`, {
    topic,
    hint: 'run maxbrod plan again to hold it, and see what else manages its configs (an operator?)',
  })
}

function valueOf(configs: readonly ConfigEntry[], name: string): string | undefined {
  return configs.find(config => config.name === name)?.value ?? undefined
}

function codecOf(compressionType: string | undefined): BatchCodec | undefined {
  if (compressionType === 'uncompressed') return 'none'
  return BATCH_CODECS.find(codec => codec === compressionType)
}
