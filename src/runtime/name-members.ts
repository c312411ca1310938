/** A member of a consumer group, as its coordinator knows it. */
export interface NamedMember {
  readonly memberId: string
  readonly instanceId: string | undefined
  readonly clientId: string
  readonly host: string
}

const NAMED_MAX = 5

/** Members as somebody would look for them: `consumer-7-4f… (client billing at /10.1.2.3)`. */
export function nameMembers(members: readonly NamedMember[]): string {
  const named = members
    .slice(0, NAMED_MAX)
    .map(({ memberId, instanceId, clientId, host }) => `${instanceId ?? memberId} (client ${clientId} at ${host})`)
  const more = members.length - named.length
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
