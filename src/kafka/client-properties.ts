import { MaxbrodError } from '../runtime/errors.ts'
import { resolveReferences } from './config-providers.ts'
import { parseProperties } from './properties.ts'
import { readSasl } from './sasl.ts'
import type { SaslOptions } from './sasl.ts'

/** The connection that a client.properties file describes. */
export interface ClientProperties {
  readonly bootstrapServers: string | undefined
  /** Options of node:tls, or null for plain text. */
  readonly tls: TlsOptions | null
  readonly sasl: SaslOptions | null
  /** What must never be printed: passwords, passphrases, keys. */
  readonly secrets: readonly string[]
}

export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  readonly minVersion: 'TLSv1.2'
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const SECRETS = ['ssl.key.password', 'ssl.keystore.password', 'ssl.truststore.password', 'ssl.keystore.key']

/**
 * Reads the properties that Kafka's own tools take with --command-config, as far as they say how to connect. `readFile` gives
 * the text of files that the properties name. Throws USAGE for what this program cannot do; other properties are ignored.
 */
export function parseClientProperties(text: string, readFile: (path: string) => string): ClientProperties {
  const properties = resolveReferences(parseProperties(text), readFile)
  // As Java's clients do, whatever the type of a property.
  return connectionOf(new Map([...properties].map(([name, value]) => [name, value.trim()])), readFile)
}

/** The same for properties that came from elsewhere. */
export function connectionOf(
  properties: ReadonlyMap<string, string>,
  readFile: (path: string) => string,
): ClientProperties {
  const protocol = (properties.get('security.protocol') ?? 'PLAINTEXT').toUpperCase()
  if (!PROTOCOLS.includes(protocol)) throw usage(`security.protocol=${protocol} is none of ${PROTOCOLS.join(', ')}`)
  const sasl = protocol.startsWith('SASL') ? readSasl(properties) : undefined
  const secrets = [sasl?.secret, ...SECRETS.map(name => properties.get(name))]
  return {
    bootstrapServers: properties.get('bootstrap.servers'),
    tls: protocol.endsWith('SSL') ? readTls(properties, readFile) : null,
    sasl: sasl?.options ?? null,
    secrets: secrets.filter(secret => secret !== undefined),
  }
}

function readTls(properties: ReadonlyMap<string, string>, readFile: (path: string) => string): TlsOptions {
  if (properties.get('ssl.endpoint.identification.algorithm') === '') {
    throw usage(
      'ssl.endpoint.identification.algorithm is empty: the name of a broker is always checked',
      'use the names that the brokers’ certificates carry',
    )
  }
  const trust = pem(properties, 'ssl.truststore', readFile, 'ssl.truststore.certificates')
  const chain = pem(properties, 'ssl.keystore', readFile, 'ssl.keystore.certificate.chain')
  const key = pem(properties, 'ssl.keystore', readFile, 'ssl.keystore.key')
  const passphrase = properties.get('ssl.key.password')
  return {
    minVersion: 'TLSv1.2',
    ...(trust === undefined ? {} : { ca: trust }),
    ...(chain === undefined ? {} : { cert: chain }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

/** A PEM store, in the properties themselves (KIP-651) or in a file of its own, which holds certificates and key. */
function pem(
  properties: ReadonlyMap<string, string>,
  store: string,
  readFile: (path: string) => string,
  inline: string,
): string | undefined {
  const given = properties.get(inline)
  if (given !== undefined) return foldPem(given)
  const location = properties.get(`${store}.location`)
  if (location === undefined) return undefined
  const type = (properties.get(`${store}.type`) ?? 'JKS').toUpperCase()
  if (type !== 'PEM') {
    throw usage(
      `${store}.type=${type}: only PEM stores can be read`,
      `convert it: keytool -importkeystore -srckeystore ${location} -destkeystore store.p12 -deststoretype PKCS12 && openssl pkcs12 -in store.p12 -out store.pem -nodes; then set ${store}.type=PEM and ${store}.location=store.pem`,
    )
  }
  return readFile(location)
}

/** PEM as OpenSSL reads it: properties often hold it in one line, which Java takes. */
function foldPem(text: string): string {
  return text.replaceAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g, (_, what: string, body: string) => {
    const lines = body.replaceAll(/\s/g, '').match(/.{1,64}/g) ?? []
    return `\n-----BEGIN ${what}-----\n${lines.join('\n')}\n-----END ${what}-----\n`
  })
}

function usage(message: string, hint?: string): MaxbrodError {
  return new MaxbrodError('USAGE', `--command-config: ${message}`, { hint })
}
