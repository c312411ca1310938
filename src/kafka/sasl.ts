import { MaxbrodError } from '../runtime/errors.ts'

/** How to log in. */
export type SaslOptions = PasswordOptions | ClientCredentials | MskIam

/** In kafkajs' form. */
export interface PasswordOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** A token of an authorization server, for an id and a secret (RFC 6749, 4.4). */
export interface ClientCredentials {
  readonly mechanism: 'oauthbearer'
  readonly endpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
}

/** A token that the AWS credentials of this process sign, for Amazon MSK. */
export interface MskIam {
  readonly mechanism: 'msk iam'
  /** Undefined: as the brokers' names say. */
  readonly region: string | undefined
  readonly profile: string | undefined
  readonly roleArn: string | undefined
  readonly roleSessionName: string | undefined
}

const PASSWORDS = { PLAIN: 'plain', 'SCRAM-SHA-256': 'scram-sha-256', 'SCRAM-SHA-512': 'scram-sha-512' } as const
const MECHANISMS = [...Object.keys(PASSWORDS), 'OAUTHBEARER', 'AWS_MSK_IAM']

export interface ReadSasl {
  readonly options: SaslOptions
  /** What must never be printed. */
  readonly secret: string | undefined
}

/** Reads `sasl.*` of a client.properties file. Throws USAGE. */
export function readSasl(properties: ReadonlyMap<string, string>): ReadSasl {
  const name = properties.get('sasl.mechanism') ?? 'GSSAPI'
  const jaas = properties.get('sasl.jaas.config') ?? ''
  const password = Object.entries(PASSWORDS).find(([known]) => known === name)?.[1]
  if (password !== undefined) return readPassword(password, jaas)
  if (name === 'OAUTHBEARER') return readClientCredentials(properties, jaas)
  if (name === 'AWS_MSK_IAM') return { options: readMskIam(jaas), secret: undefined }
  throw usage(`sasl.mechanism=${name} is none of ${MECHANISMS.join(', ')}`)
}

function readPassword(mechanism: PasswordOptions['mechanism'], jaas: string): ReadSasl {
  const username = jaasOption(jaas, 'username')
  const password = jaasOption(jaas, 'password')
  if (username === undefined || password === undefined) throw usage('sasl.jaas.config has no username and password')
  return { options: { mechanism, username, password }, secret: password }
}

/** Names as Java's client has them: since Kafka 4.1 as properties (KIP-1139), before as options of the JAAS line (KIP-768). */
function readClientCredentials(properties: ReadonlyMap<string, string>, jaas: string): ReadSasl {
  const endpoint = properties.get('sasl.oauthbearer.token.endpoint.url')
  const prefix = 'sasl.oauthbearer.client.credentials'
  const clientId = properties.get(`${prefix}.client.id`) ?? jaasOption(jaas, 'clientId')
  const clientSecret = properties.get(`${prefix}.client.secret`) ?? jaasOption(jaas, 'clientSecret')
  const scope = properties.get('sasl.oauthbearer.scope') ?? jaasOption(jaas, 'scope')
  if (endpoint === undefined || clientId === undefined || clientSecret === undefined) {
    throw usage(
      'sasl.mechanism=OAUTHBEARER needs a token endpoint, a client id and a secret',
      `set sasl.oauthbearer.token.endpoint.url, ${prefix}.client.id and ${prefix}.client.secret`,
    )
  }
  if (!isSafe(endpoint)) {
    throw usage(
      'sasl.oauthbearer.token.endpoint.url must begin with https://',
      'the secret of the client would be readable on its way',
    )
  }
  const { username, password } = new URL(endpoint)
  if (username !== '' || password !== '') {
    throw usage(
      'sasl.oauthbearer.token.endpoint.url holds a user or a password, and addresses are printed',
      `set ${prefix}.client.id and ${prefix}.client.secret`,
    )
  }
  return { options: { mechanism: 'oauthbearer', endpoint, clientId, clientSecret, scope }, secret: clientSecret }
}

function isSafe(endpoint: string): boolean {
  const url = URL.parse(endpoint)
  if (url === null) return false
  return url.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
}

/** Options of software.amazon.msk.auth.iam.IAMLoginModule, and `awsRegion`. */
function readMskIam(jaas: string): MskIam {
  return {
    mechanism: 'msk iam',
    region: jaasOption(jaas, 'awsRegion'),
    profile: jaasOption(jaas, 'awsProfileName'),
    roleArn: jaasOption(jaas, 'awsRoleArn'),
    roleSessionName: jaasOption(jaas, 'awsRoleSessionName'),
  }
}

/** An option of a JAAS line: `… required username="alice" password="secret";` */
function jaasOption(jaas: string, option: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${option}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|'([^']*)'|([^\\s;"']+))`).exec(jaas)
  return match?.[1]?.replaceAll(/\\(.)/g, '$1') ?? match?.[2] ?? match?.[3]
}

function usage(message: string, hint?: string): MaxbrodError {
  return new MaxbrodError('USAGE', `--command-config: ${message}`, { hint })
}
