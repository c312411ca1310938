import type { PlanTarget } from '../format/plan.ts'
import { grantOnTopic } from '../kafka/port/acl-command.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { Refusal } from './refusal.ts'
import type { SeenLog, SeenTarget } from './see-targets.ts'
import { doubtsAbout, doubtsAboutNew, timeRefusals } from './target-limits.ts'
import type { TargetOptions, WantedTarget } from './wanted-target.ts'

/** What a plan has of a target already. */
export interface PlannedTarget {
  readonly target: PlanTarget
  /** By partition: how many records of the plan it gets. */
  readonly records: readonly number[]
}

export interface TargetVerdict {
  readonly refusals: readonly Refusal[]
  /** What is worth a word, and no refusal. */
  readonly notes: readonly string[]
}

/** May a restore write to this topic? `seen` is undefined for one that does not exist. Pure. */
export function judgeTarget(
  wanted: WantedTarget,
  seen: SeenTarget | undefined,
  planned: PlannedTarget | undefined,
  options: TargetOptions,
  nowMs: number,
): TargetVerdict {
  const { topic } = wanted
  if (seen?.description.error !== undefined)
    return refused({
      code: 'KAFKA_AUTH',
      message: `cannot look at the target topic ${topic}: ${seen.description.error}`,
      details: { topic, hint: grantOnTopic(['Describe', 'DescribeConfigs', 'AlterConfigs', 'Write'], topic) },
    })
  if (planned !== undefined) return judgePlanned(planned, seen)
  if (seen === undefined)
    return options.createTopics ? { refusals: [], notes: doubtsAboutNew(wanted) } : refused(missing(topic))
  const unequal = options.partitionMap === 'same' ? sizeRefusal(wanted, seen) : undefined
  return {
    refusals: [
      ...(unequal === undefined ? [] : [unequal]),
      ...timeRefusals(wanted, seen.configs, options, nowMs),
      ...contentRefusals(seen, options),
    ],
    notes: doubtsAbout(wanted, seen.configs, options, nowMs),
  }
}

/** A target that the plan has must still be the topic that it was when it was planned. */
function judgePlanned({ target, records }: PlannedTarget, seen: SeenTarget | undefined): TargetVerdict {
  const { topic, topicId, baseOffsets } = target
  if (seen === undefined || seen.description.topicId !== topicId)
    return refused({
      code: 'TARGET_REPLACED',
      message: `${topic} is ${seen === undefined ? 'gone' : 'another topic'} since the restore was planned`,
      details: { topic, hint: 'plan again with --restart-plan, or into a new --plan-topic' },
    })
  const notes = seen.logs.flatMap(log => {
    const planned = records[log.partition] ?? 0
    const held = (log.end ?? 0) - (baseOffsets[log.partition] ?? 0)
    return held > planned
      ? [`${partitionName(log)} holds ${held} records behind its beginning, and ${planned} of them are planned`]
      : []
  })
  return { refusals: [], notes }
}

function refused(...refusals: readonly Refusal[]): TargetVerdict {
  return { refusals, notes: [] }
}

function missing(topic: string): Refusal {
  return {
    code: 'TARGET_MISSING',
    message: `${topic} does not exist in the target cluster`,
    details: { topic, hint: 'create it with the partitions of its source, or add --create-topics' },
  }
}

/** A backup without definitions does not know of partitions that never held a record: a larger target may be right. */
function sizeRefusal(
  { topic, partitions, definition }: WantedTarget,
  { description: { partitions: actual } }: SeenTarget,
): Refusal | undefined {
  if (actual === partitions || (definition === undefined && actual > partitions)) return undefined
  return {
    code: 'TARGET_PARTITIONS',
    message: `${topic} has ${actual} partitions where its source has ${partitions}`,
    details: { topic, hint: 'restore into a topic of the same size: keys would be in other partitions otherwise' },
  }
}

function contentRefusals({ logs }: SeenTarget, { append }: TargetOptions): Refusal[] {
  const unknown = logs.find(({ start, end }) => start === undefined || end === undefined)
  if (unknown !== undefined)
    return [
      {
        code: 'KAFKA_GAVE_UP',
        message: `cannot tell where ${partitionName(unknown)} begins and ends`,
        details: { topic: unknown.topic, partition: unknown.partition },
      },
    ]
  const full = append ? [] : logs.filter(({ start, end }) => start !== end)
  const [first, ...others] = full
  if (first === undefined) return []
  return [
    {
      code: 'TARGET_NOT_EMPTY',
      message: `${partitionName(first)} already holds records (${rangeOf(first)})${othersOf(others)}`,
      details: {
        topic: first.topic,
        partition: first.partition,
        hint: 'restore under another name with --rename or --target-prefix, empty the topic, or add --append',
      },
    },
  ]
}

function rangeOf({ start = 0, end = 0 }: SeenLog): string {
  return `${start} to ${end - 1}`
}

function othersOf(others: readonly SeenLog[]): string {
  if (others.length === 0) return ''
  return `, and so ${others.length === 1 ? 'does' : 'do'} ${others.length} more of its partitions`
}
