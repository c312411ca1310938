import { isTopicName } from '../format/keys.ts'
import type { PlanMapping } from '../format/plan.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** The name that a source topic gets in the target cluster. A renamed topic gets no prefix. */
export function targetName(topic: string, { rename, targetPrefix }: PlanMapping): string {
  return rename.find(([source]) => source === topic)?.[1] ?? `${targetPrefix}${topic}`
}

/** Throws USAGE unless every source gets a target of its own with a valid name that is not the plan topic. */
export function checkMapping(topics: readonly string[], mapping: PlanMapping, planTopic: string): void {
  const sources = new Map<string, string>()
  for (const topic of topics) {
    const target = targetName(topic, mapping)
    const other = sources.get(target)
    if (other !== undefined)
      throw new MaxbrodError('USAGE', `${other} and ${topic} would both be restored into ${target}`, {
        hint: 'give them different names with --rename',
      })
    if (!isTopicName(target))
      throw new MaxbrodError('USAGE', `${topic} would be restored into ${target}, which is no topic name`, {
        hint: 'shorten the prefix, or use --rename',
      })
    if (target === planTopic)
      throw new MaxbrodError('USAGE', `${topic} would be restored into the plan topic ${planTopic}`, {
        hint: 'use another --plan-topic',
      })
    if (target.startsWith('__'))
      throw new MaxbrodError('USAGE', `${topic} would be restored into ${target}, a name of Kafka’s own topics`, {
        hint: 'use --rename or --target-prefix',
      })
    sources.set(target, topic)
  }
  for (const [source] of mapping.rename) {
    if (!topics.includes(source))
      throw new MaxbrodError('USAGE', `--rename speaks of ${source}, which is not among the selected topics`, {
        hint: 'check the spelling, and --topics',
      })
  }
}
