import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Authority } from './certificates.ts'
import type { KafkaOptions } from './kafka-broker.ts'

/** A cluster with a listener for passwords and one for client certificates, and the files that its users were given. */
export interface SecureListeners {
  readonly kafka: KafkaOptions
  /** `ca.crt`, `user.crt` and `user.key`, as Strimzi calls them. */
  readonly certificates: string
  /** A new certificate of the same user. */
  renew(folder: string): void
}

export function secureListeners(folder: string, scramUsers: Readonly<Record<string, string>>): SecureListeners {
  const authority = new Authority('an authority')
  const broker = authority.certify('a broker', { ip: ['127.0.0.1'] })
  const certificates = join(folder, 'certs')
  const renew = (to: string) => {
    mkdirSync(to, { recursive: true })
    const { certificate, key } = authority.certify('maxbrod')
    writeFileSync(join(to, 'user.crt'), certificate)
    writeFileSync(join(to, 'user.key'), key)
  }
  renew(certificates)
  const trust = join(certificates, 'ca.crt')
  const own = join(certificates, 'broker.pem')
  writeFileSync(trust, authority.certificate)
  writeFileSync(own, broker.key + broker.certificate)
  const tls = (listener: string) => ({
    [`listener.name.${listener}.ssl.keystore.type`]: 'PEM',
    [`listener.name.${listener}.ssl.keystore.location`]: own,
    [`listener.name.${listener}.ssl.truststore.type`]: 'PEM',
    [`listener.name.${listener}.ssl.truststore.location`]: trust,
  })
  return {
    kafka: {
      listeners: { SCRAM: 'SASL_SSL', MUTUAL: 'SSL' },
      scramUsers,
      properties: {
        ...tls('scram'),
        ...tls('mutual'),
        'listener.name.mutual.ssl.client.auth': 'required',
        'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
        'listener.name.scram.scram-sha-512.sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      },
    },
    certificates,
    renew,
  }
}
