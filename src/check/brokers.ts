import type { BrokerContact } from '../kafka/port/admin.ts'
import type { Finding } from './finding.ts'
import { fail, ok, some, warn } from './finding.ts'

const DAY_MS = 24 * 3_600_000
/** Who renews by hand needs that long. */
const ENDS_SOON_MS = 30 * DAY_MS

/** Clients learn from any broker where the others are: an address that only works elsewhere is the usual surprise. */
export function judgeContacts(contacts: readonly BrokerContact[]): Finding[] {
  const silent = contacts.filter(({ failure }) => failure !== undefined)
  const check = 'listeners'
  if (silent.length === 0) return [ok(check, `${contacts.length} brokers answer at their advertised listeners`)]
  return silent.map(({ nodeId, address, failure }) =>
    fail(
      check,
      `broker ${nodeId} tells clients to use ${address}, which does not answer from here: ${failure}`,
      'set advertised.listeners of the broker to an address that this machine reaches, or open the way to it',
    ),
  )
}

/** Nothing for plain text, beside the warning. */
export function judgeEncryption(contacts: readonly BrokerContact[], nowMs: number): Finding[] {
  const answered = contacts.filter(({ failure }) => failure === undefined)
  const plain = answered.filter(({ certificates, address }) => certificates === undefined && !isLoopback(address))
  if (plain.length > 0) {
    const says = `connections are not encrypted: ${some(plain.map(({ address }) => address))}`
    return [warn('encryption', says, 'use a TLS listener: security.protocol in the file of --command-config')]
  }
  return answered.flatMap(({ address, certificates }) => {
    if (certificates === undefined) return []
    const { brokerEndsAt, ownEndsAt } = certificates
    return [
      ...judgeEnd(`certificate of ${address}`, brokerEndsAt, nowMs),
      // Shown to each broker, and the same one.
      ...(address === answered[0]?.address ? judgeEnd('own certificate', ownEndsAt, nowMs) : []),
    ]
  })
}

function judgeEnd(check: string, endsAtMs: number | undefined, nowMs: number): Finding[] {
  if (endsAtMs === undefined) return []
  const days = Math.floor((endsAtMs - nowMs) / DAY_MS)
  const end = new Date(endsAtMs).toISOString()
  if (endsAtMs <= nowMs) return [fail(check, `ended at ${end}`, 'renew it; files that are replaced are read again')]
  const says = `ends in ${days} days, at ${end}`
  return [
    endsAtMs - nowMs < ENDS_SOON_MS
      ? warn(check, says, 'renew it; files that are replaced are read again')
      : ok(check, says),
  ]
}

function isLoopback(address: string): boolean {
  return /^(localhost|127\.[\d.]+|::1|\[::1\]):\d+$/.test(address)
}
