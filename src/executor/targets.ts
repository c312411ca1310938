import type { BatchCodec } from '../format/batch/record-batch.ts'
import { BATCH_CODECS } from '../format/batch/record-batch.ts'
import { brokenHold, unsealConfigs } from '../format/hold.ts'
import type { PlanHead, PlanTarget } from '../format/plan.ts'
import { grantOnTopic } from '../kafka/port/acl-command.ts'
import type { ConfigEntry } from '../kafka/port/admin.ts'
import type { Kafka } from '../kafka/port.ts'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { headsWith } from './plan-reader.ts'

/** What an executor knows of a target topic. */
export interface TargetFacts {
  readonly topic: string
  readonly baseOffsets: readonly number[]
  /** Largest batch that the topic takes. */
  readonly maxBatchBytes: number
  /** How the topic wants its batches; undefined when it leaves that to producers. */
  readonly codec: BatchCodec | undefined
  /** The configs that are not as a held topic has them; empty for one that need not be held. */
  readonly brokenHold: readonly string[]
  /** What opens the topic again if it is sealed; else empty. */
  readonly unseal: ReadonlyMap<string, string>
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

  /** The head that counts: it began the restore. */
  get head(): PlanHead {
    return must(this.#heads[0], 'head')
  }

  get restoreId(): string {
    return this.head.restoreId
  }

  /** To be called with topics of plan entries that were read later than the heads: a planner may have added targets. */
  async meet(topics: Iterable<string>, planTopic: string, signal: AbortSignal): Promise<void> {
    this.#heads = await headsWith(this.#heads, topics, this.#kafka, planTopic, signal)
  }

  /** Who appends: the same for all targets. */
  get producerId(): bigint {
    return BigInt(this.head.producerId)
  }

  /** What a target is like now. Throws TARGET_REPLACED when it is not the topic that was planned. */
  async inspect(topic: string): Promise<TargetFacts> {
    const { target, hold } = this.#mustBePlanned(topic)
    const [found] = await this.#kafka.admin.topics([topic])
    if (found?.error !== undefined) {
      throw new MaxbrodError('KAFKA_AUTH', `cannot look at ${topic}: ${found.error}`, {
        topic,
        hint: grantOnTopic(['Describe', 'DescribeConfigs', 'Write'], topic),
      })
    }
    if (found === undefined || found.topicId !== target.topicId) {
      throw new MaxbrodError(
        'TARGET_REPLACED',
        `${topic} is ${found === undefined ? 'gone' : 'another topic'} since the restore was planned`,
        { topic, hint: 'plan again with --restart-plan, or into a new --plan-topic' },
      )
    }
    const configs = (await this.#kafka.admin.topicConfigs([topic])).get(topic) ?? []
    return {
      topic,
      baseOffsets: target.baseOffsets,
      maxBatchBytes: Number(valueOf(configs, 'max.message.bytes') ?? DEFAULT_MAX_BATCH_BYTES),
      codec: codecOf(valueOf(configs, 'compression.type')),
      brokenHold: hold === 'auto' ? brokenHold(configs) : [],
      unseal: hold === 'auto' ? unsealConfigs(configs) : new Map(),
    }
  }

  /**
   * To be called before records are sent: nothing may delete them, and nothing may refuse old ones. A topic that was sealed
   * when it was complete, before a planner added more to it, is opened again. Throws TARGET_CHANGED.
   */
  async open(facts: TargetFacts): Promise<void> {
    requireHeld(facts)
    if (facts.unseal.size > 0) await this.#kafka.admin.alterTopicConfigs(facts.topic, facts.unseal)
  }

  /** Undefined where brokers have no ids. */
  topicId(topic: string): string | undefined {
    return this.#planned(topic)?.target.topicId
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

  /** All targets, of all heads. */
  get all(): PlanTarget[] {
    return this.#heads.flatMap(({ targets }) => targets)
  }

  #mustBePlanned(topic: string): { target: PlanTarget; hold: PlanHead['hold'] } {
    const planned = this.#planned(topic)
    if (planned !== undefined) return planned
    throw new MaxbrodError('PLAN_CORRUPT', `the plan has files for ${topic} and no head that names it`, {
      topic,
      hint: 'run maxbrod plan again',
    })
  }

  #planned(topic: string): { target: PlanTarget; hold: PlanHead['hold'] } | undefined {
    for (const { targets, hold } of this.#heads) {
      const target = targets.find(one => one.topic === topic)
      if (target !== undefined) return { target, hold }
    }
    return undefined
  }
}

/** Throws TARGET_CHANGED for a topic that must be held and is not. */
export function requireHeld({ topic, brokenHold: broken }: TargetFacts): void {
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
