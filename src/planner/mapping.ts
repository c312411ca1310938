import { isTopicName } from '../format/keys.ts'
import type { PlanMapping } from '../format/plan.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Refusal } from './refusal.ts'

/** The name that a source topic gets in the target cluster. A renamed topic gets no prefix. */
export function targetName(topic: string, { rename, targetPrefix }: PlanMapping): string {
  return rename.find(([source]) => source === topic)?.[1] ?? `${targetPrefix}${topic}`
}

/** By source: why it cannot have the target that it gets. Every one has a target of its own, which is no topic of Kafka's or ours. Pure. */
export function impossibleTargets(
  topics: readonly string[],
  mapping: PlanMapping,
  planTopic: string,
): ReadonlyMap<string, Refusal> {
  const sources = new Map<string, string>()
  const impossible = new Map<string, Refusal>()
  for (const source of topics) {
    const target = targetName(source, mapping)
    const refusal = whyImpossible(source, target, sources.get(target), planTopic)
    if (refusal !== undefined)
      impossible.set(source, {
        code: 'USAGE',
        message: refusal[0],
        details: { topic: source, hint: refusal[1] },
      })
    sources.set(target, sources.get(target) ?? source)
  }
  return impossible
}

function whyImpossible(
  source: string,
  target: string,
  other: string | undefined,
  planTopic: string,
): [message: string, hint: string] | undefined {
  const into = `${source} would be restored into ${target}`
  if (other !== undefined)
    return [`${other} and ${source} would both be restored into ${target}`, 'give them different names with --rename']
  if (!isTopicName(target)) return [`${into}, which is no topic name`, 'shorten the prefix, or use --rename']
  if (target === planTopic)
    return [`${source} would be restored into the plan topic ${planTopic}`, 'use another --plan-topic']
  if (target.startsWith('__')) return [`${into}, a name of Kafka’s own topics`, 'use --rename or --target-prefix']
  return undefined
}

/** Throws USAGE for a renamed topic that is not selected. */
export function checkRenames(topics: readonly string[], { rename }: PlanMapping): void {
  for (const [source] of rename) {
    if (!topics.includes(source))
      throw new MaxbrodError('USAGE', `--rename speaks of ${source}, which is not among the selected topics`, {
        hint: 'check the spelling, and --topics',
      })
  }
}
