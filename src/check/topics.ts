import { aclCommand } from '../kafka/port/acl-command.ts'
import type { TopicDescription } from '../kafka/port/admin.ts'
import type { Finding } from './finding.ts'
import { NAMED, fail, ok, some, warn } from './finding.ts'
import type { CheckOptions } from './options.ts'
import type { Purpose } from './purpose.ts'

/** The topics that the command works on, by the same rule as the commands have: whole names, and none of Kafka's own. */
export function matchedTopics(
  all: readonly TopicDescription[],
  { topics, excludeTopics }: Pick<CheckOptions, 'topics' | 'excludeTopics'>,
): TopicDescription[] {
  return all.filter(
    ({ name, isInternal }) =>
      !isInternal && topics.some(regex => regex.test(name)) && !excludeTopics.some(regex => regex.test(name)),
  )
}

/** Restores may well begin in an empty cluster; a backup of nothing is a mistake in an expression. */
export function judgeTopics(
  all: readonly TopicDescription[],
  matched: readonly TopicDescription[],
  purpose: Purpose,
): Finding[] {
  const check = 'topics'
  const fix = 'maxbrod topics lists them, and says of each why it is left out'
  const denied = matched.filter(({ error }) => error !== undefined)
  const partitions = matched.reduce((sum, topic) => sum + topic.partitions, 0)
  const says = `${matched.length} of ${all.length} topics match, with ${partitions} partitions`
  if (matched.length === 0 && (purpose === 'backup' || purpose === 'groups-backup')) return [fail(check, says, fix)]
  if (denied.length === 0) return [ok(check, says)]
  const names = some(denied.map(({ name, error }) => `${name} (${error})`))
  const grant = aclCommand(
    ['Describe', 'Read'],
    denied.slice(0, NAMED).map(({ name }) => ({ topic: name })),
  )
  return [warn(check, `${says}; the cluster tells nothing of ${names}`, grant)]
}
