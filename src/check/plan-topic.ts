import type { ConfigEntry, TopicDescription } from '../kafka/port/admin.ts'
import type { Finding } from './finding.ts'
import { fail, ok, warn } from './finding.ts'
import type { Purpose } from './purpose.ts'

/** A plan must stay whole until it is restored: nothing may delete or compact its records (docs/formats.md, "Plan"). */
export function judgePlanTopic(
  name: string,
  purpose: Purpose,
  topic: TopicDescription | undefined,
  configs: readonly ConfigEntry[],
): Finding {
  const check = 'plan topic'
  if (topic === undefined) {
    return purpose === 'plan'
      ? ok(check, `${name} does not exist yet: maxbrod plan creates it`)
      : fail(check, `${name} does not exist`, 'run maxbrod plan first, or name its topic with --plan-topic')
  }
  const value = (config: string) => configs.find(entry => entry.name === config)?.value ?? undefined
  const policy = value('cleanup.policy')
  if (policy !== undefined && policy !== 'delete')
    return fail(
      check,
      `${name} has cleanup.policy=${policy}: Kafka would remove records of the plan`,
      `set cleanup.policy=delete on ${name}`,
    )
  const retention = value('retention.ms')
  if (retention !== undefined && retention !== '-1')
    return warn(
      check,
      `${name} has retention.ms=${retention}: the plan must be restored by then`,
      `set retention.ms=-1 on ${name}`,
    )
  return ok(check, `${name} has ${topic.partitions} partitions: so many executors can work`)
}
