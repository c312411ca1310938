import { heldConfigs, valuesBeforeHold } from '../format/hold.ts'
import type { PlanTarget } from '../format/plan.ts'
import type { ConfigEntry } from '../kafka/port/admin.ts'
import { must } from '../runtime/assert.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { SeenTarget } from './see-targets.ts'
import type { TargetOptions, WantedTarget } from './wanted-target.ts'

/** What a head record says of a target, with the configs that finalize will put back. Pure. */
export function describeTarget(
  wanted: WantedTarget,
  { description, configs, logs }: SeenTarget,
  created: boolean,
  { hold }: Pick<TargetOptions, 'hold'>,
): PlanTarget {
  return {
    topic: wanted.topic,
    topicId: description.topicId,
    created,
    finalConfigs: hold === 'off' ? {} : finalConfigs(wanted, configs, created),
    baseOffsets: logs.map(log => must(log.end, `the end of ${partitionName(log)}`)),
  }
}

/** A topic that was created here gets its source's configs in the end, another one those that it had. */
function finalConfigs(
  { definition }: WantedTarget,
  configs: readonly ConfigEntry[],
  created: boolean,
): Record<string, string | null> {
  if (!created) return { ...valuesBeforeHold(configs) }
  const source = new Map(Object.entries(definition?.configs ?? {}))
  return Object.fromEntries([...heldConfigs(configs).keys()].map(name => [name, source.get(name) ?? null]))
}
