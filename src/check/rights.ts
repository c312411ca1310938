import type { Rights } from '../kafka/port/admin.ts'
import type { Finding } from './finding.ts'
import { fail, ok, some, warn } from './finding.ts'
import type { NeededRight, Needs } from './purpose.ts'

export interface AskedRights {
  readonly topics: readonly string[]
  readonly group: string | undefined
  /** Undefined where it does not exist, or the command needs none. */
  readonly planTopic: string | undefined
}

/** Compares what this user may do with what the command uses. Clusters without an authorizer allow everything, and say so. */
export function judgeRights(needs: Needs, asked: AskedRights, rights: Rights): Finding[] {
  const { topics, group, planTopic } = asked
  return [
    ...judge('rights on the cluster', needs.cluster, ['the cluster'], () => rights.cluster),
    ...judge('rights on topics', needs.topics, topics, name => rights.topics.get(name)),
    ...(group === undefined ? [] : judge('rights on the group', needs.group, [`group ${group}`], () => rights.group)),
    ...(planTopic === undefined
      ? []
      : judge('rights on the plan topic', needs.planTopic, [planTopic], name => rights.topics.get(name))),
  ]
}

function judge(
  check: string,
  needed: readonly NeededRight[],
  resources: readonly string[],
  rightsOn: (resource: string) => ReadonlySet<string> | undefined,
): Finding[] {
  if (needed.length === 0 || resources.length === 0) return []
  const known = resources.filter(resource => rightsOn(resource) !== undefined)
  if (known.length === 0)
    return [warn(check, 'the brokers do not tell (before Kafka 2.3)', 'look at the ACLs with kafka-acls.sh --list')]
  const missing = needed.flatMap(({ operation, without }) => {
    const lacking = known.filter(resource => rightsOn(resource)?.has(operation) !== true)
    if (lacking.length === 0) return []
    const says = `${operation} is missing on ${some(lacking)}${without === undefined ? '' : `: ${without}`}`
    const fix = `kafka-acls.sh --add --operation ${aclWord(operation)} for this user on ${some(lacking)}`
    return [without === undefined ? fail(check, says, fix) : warn(check, says, fix)]
  })
  const words = needed.map(({ operation }) => operation).join(', ')
  return missing.length > 0
    ? missing
    : [ok(check, `${words} on ${known.length === 1 ? known[0] : `all ${known.length}`}`)]
}

/** DESCRIBE_CONFIGS is DescribeConfigs on the command line of kafka-acls.sh. */
function aclWord(operation: string): string {
  return operation.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
