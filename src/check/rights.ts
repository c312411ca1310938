import { aclCommand } from '../kafka/port/acl-command.ts'
import type { AclResource } from '../kafka/port/acl-command.ts'
import type { Rights } from '../kafka/port/admin.ts'
import type { Finding } from './finding.ts'
import { NAMED, fail, ok, some, warn } from './finding.ts'
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
  const topicOf = (topic: string): Resource => ({ name: topic, is: { topic }, rights: rights.topics.get(topic) })
  return [
    ...judge('rights on the cluster', needs.cluster, [{ name: 'the cluster', is: 'cluster', rights: rights.cluster }]),
    ...judge('rights on topics', needs.topics, topics.map(topicOf)),
    ...(group === undefined
      ? []
      : judge('rights on the group', needs.group, [{ name: `group ${group}`, is: { group }, rights: rights.group }])),
    ...(planTopic === undefined ? [] : judge('rights on the plan topic', needs.planTopic, [topicOf(planTopic)])),
  ]
}

interface Resource {
  readonly name: string
  readonly is: AclResource
  /** Undefined where the brokers do not tell. */
  readonly rights: ReadonlySet<string> | undefined
}

function judge(check: string, needed: readonly NeededRight[], resources: readonly Resource[]): Finding[] {
  if (needed.length === 0 || resources.length === 0) return []
  const known = resources.filter(({ rights }) => rights !== undefined)
  if (known.length === 0)
    return [warn(check, 'the brokers do not tell (before Kafka 2.3)', 'look at the ACLs with kafka-acls.sh --list')]
  const missing = needed.flatMap(({ operation, without }) => {
    const lacking = known.filter(({ rights }) => rights?.has(operation) !== true)
    if (lacking.length === 0) return []
    const names = some(lacking.map(({ name }) => name))
    const says = `${operation} is missing on ${names}${without === undefined ? '' : `: ${without}`}`
    const named = lacking.slice(0, NAMED).map(({ is }) => is)
    const fix = aclCommand([aclWord(operation)], named)
    return [without === undefined ? fail(check, says, fix) : warn(check, says, fix)]
  })
  const words = needed.map(({ operation }) => operation).join(', ')
  return missing.length > 0
    ? missing
    : [ok(check, `${words} on ${known.length === 1 ? known[0]?.name : `all ${known.length}`}`)]
}

/** DESCRIBE_CONFIGS is DescribeConfigs on the command line of kafka-acls.sh. */
function aclWord(operation: string): string {
  return operation.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
