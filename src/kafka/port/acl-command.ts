/** What an ACL is about, as Kafka's own tool takes it. */
export type AclResource = { readonly topic: string } | { readonly group: string } | 'cluster'

/** The command that gives a user rights; whose they are, and where the cluster is, whoever runs it knows. */
export function aclCommand(operations: readonly string[], resources: readonly AclResource[]): string {
  const words = [
    'kafka-acls.sh --bootstrap-server HOST:9092 --add --allow-principal User:NAME',
    ...operations.map(operation => `--operation ${operation}`),
    ...resources.map(flagOf),
  ]
  return words.join(' ')
}

/** The hint of an error about rights on one topic. */
export function grantOnTopic(operations: readonly [string, ...string[]], topic: string): string {
  const last = operations.at(-1)
  const named = operations.length === 1 ? last : `${operations.slice(0, -1).join(', ')} and ${last}`
  return `grant ${named} on it: ${aclCommand(operations, [{ topic }])}`
}

function flagOf(resource: AclResource): string {
  if (resource === 'cluster') return '--cluster'
  return 'topic' in resource ? `--topic ${quoted(resource.topic)}` : `--group ${quoted(resource.group)}`
}

/** A group may be called anything, and every topic is `*`: as one word of a shell. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`
}
