import { Vitals } from '../../src/observe/vitals.ts'
import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import { createSecureContext } from 'node:tls'
import { connectKafka } from '../../src/kafka/connect.ts'
import { kafkaOptions } from '../../src/kafka/options.ts'
import type { KafkaOptions } from '../../src/kafka/options.ts'
import { parseClientProperties } from '../../src/kafka/client-properties.ts'
import { Redactor } from '../../src/observe/redact.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { Authority } from '../helpers/certificates.ts'
import { optionsOf } from '../helpers/options.ts'

const scramModule = 'org.apache.kafka.common.security.scram.ScramLoginModule'
const plainModule = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const authority = new Authority('an authority')
const client = authority.certify('a client')

test('without a word about security it is plain text', () => {
  const { bootstrapServers, tls, sasl, secrets } = parse('bootstrap.servers=a:1,b:2')
  assert.deepEqual(
    { bootstrapServers, tls, sasl, secrets },
    { bootstrapServers: 'a:1,b:2', tls: null, sasl: null, secrets: [] },
  )
})

test('the mechanisms are those of kafkajs, with user and password from the JAAS line', () => {
  const forms: [line: string, username: string, password: string][] = [
    ['required username="alice" password="s3cret";', 'alice', 's3cret'],
    ['required \\\n  username="alice" \\\n  password="s3cret";', 'alice', 's3cret'],
    ['required username=alice password=s3cret;', 'alice', 's3cret'],
    ["required username='alice' password='s3 cret';", 'alice', 's3 cret'],
    ['required password = "a;b=c d" username = "alice" ;', 'alice', 'a;b=c d'],
    // One level of backslashes is taken by the file, the next one by JAAS.
    ['required username="alice" password="say \\\\"hello\\\\"";', 'alice', 'say "hello"'],
    ['required serviceName="username" username="bob" password="x";', 'bob', 'x'],
  ]
  for (const [line, username, password] of forms) {
    const { sasl, tls } = parse(
      `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=${plainModule} ${line}`,
    )
    assert.deepEqual(sasl, { mechanism: 'plain', username, password })
    assert.equal(tls, null)
  }
  for (const [name, mechanism] of [
    ['SCRAM-SHA-256', 'scram-sha-256'],
    ['SCRAM-SHA-512', 'scram-sha-512'],
  ]) {
    const jaas = `sasl.jaas.config=${scramModule} required username="u" password="p";`
    const { sasl, tls } = parse(`security.protocol=sasl_ssl\nsasl.mechanism=${name}\n${jaas}`)
    assert.equal(sasl?.mechanism, mechanism)
    assert.deepEqual(tls, { minVersion: 'TLSv1.2' })
  }
})

test('white space around a value means nothing, as for clients in Java', () => {
  const lines = [
    'security.protocol = SASL_SSL ',
    'sasl.mechanism=PLAIN\t',
    `sasl.jaas.config=${plainModule} required username="u" password=" p "; `,
    'bootstrap.servers=a:1 ',
    'ssl.truststore.type=PEM ',
    'ssl.truststore.location=/ca ',
  ]
  const { bootstrapServers, sasl, tls } = parse(lines.join('\n'), path => path)
  assert.deepEqual(
    { bootstrapServers, sasl, tls },
    {
      bootstrapServers: 'a:1',
      sasl: { mechanism: 'plain', username: 'u', password: ' p ' },
      tls: { minVersion: 'TLSv1.2', ca: '/ca' },
    },
  )
})

test('PEM stores are taken from files, and from the properties themselves, in one line or in many', () => {
  const files = new Map([
    ['/trust.pem', authority.certificate],
    ['/store.pem', client.key + client.certificate],
  ])
  const folded = (pem: string) => pem.trimEnd().replaceAll('\n', '\\\n')
  const inOneLine = (pem: string) => pem.trimEnd().replaceAll('\n', ' ')
  const escaped = (pem: string) => pem.replaceAll('\n', '\\n')
  const forms: string[] = [
    `ssl.truststore.type=PEM\nssl.truststore.location=/trust.pem\nssl.keystore.type=pem\nssl.keystore.location=/store.pem`,
    ...[folded, inOneLine, escaped].map(
      form =>
        `ssl.truststore.type=PEM\nssl.truststore.certificates=${form(authority.certificate)}\nssl.keystore.type=PEM\n` +
        `ssl.keystore.certificate.chain=${form(client.certificate)}\nssl.keystore.key=${form(client.key)}`,
    ),
  ]
  for (const form of forms) {
    const { tls } = parse(`security.protocol=SSL\n${form}`, path => files.get(path)!)
    assert.deepEqual(rawOf(tls?.ca), rawOf(authority.certificate), form)
    assert.deepEqual(rawOf(tls?.cert), rawOf(client.certificate), form)
    assert.ok(createPrivateKey(tls?.key ?? '').equals(createPrivateKey(client.key)))
    createSecureContext(tls!)
  }
})

test('a key that is encrypted comes with its passphrase', () => {
  const encrypted = createPrivateKey(client.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open it',
  })
  const { tls, secrets } = parse(
    'security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location=/store.pem\nssl.key.password=open it',
    () => encrypted + client.certificate,
  )
  createSecureContext(tls!)
  assert.deepEqual(secrets, ['open it'])
})

test('what cannot be done is refused with the reason and a way out', () => {
  const jaas = `sasl.jaas.config=${plainModule} required username="u" password="p";`
  const refusals: [text: string, message: RegExp, hint?: RegExp][] = [
    ['security.protocol=TLS', /security.protocol=TLS is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL/],
    [`security.protocol=SASL_SSL\n${jaas}`, /sasl.mechanism=GSSAPI is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512/],
    ['security.protocol=SASL_SSL\nsasl.mechanism=PLAIN', /sasl.jaas.config has no username and password/],
    [
      'security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=m required username="u";',
      /no username and password/,
    ],
    [
      'security.protocol=SSL\nssl.endpoint.identification.algorithm=',
      /the name of a broker is always checked/,
      /names/,
    ],
    [
      'security.protocol=SSL\nssl.truststore.location=/t.jks',
      /ssl.truststore.type=JKS: only PEM stores can be read/,
      /keytool -importkeystore -srckeystore \/t\.jks .* ssl.truststore.type=PEM/,
    ],
    [
      'security.protocol=SSL\nssl.keystore.type=PKCS12\nssl.keystore.location=/k.p12',
      /ssl.keystore.type=PKCS12: only PEM/,
    ],
  ]
  for (const [text, message, hint] of refusals) {
    assert.throws(
      () => parse(text),
      error =>
        isMaxbrodError(error, 'USAGE') &&
        message.test(error.message) &&
        (hint === undefined || hint.test(error.hint ?? '')),
      text,
    )
  }
})

test('a file that is not there is a mistake of usage, the properties’ own or one that they name', () => {
  const missing = (path: string) => {
    if (path === '/there') return 'security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=/nowhere'
    throw new Error(`ENOENT: no such file or directory, open '${path}'`)
  }
  for (const commandConfig of ['/missing', '/there']) {
    assert.throws(
      () => connect({ commandConfig }, missing),
      error => isMaxbrodError(error, 'USAGE') && /--command-config: ENOENT.*'\/(missing|nowhere)'/.test(error.message),
    )
  }
})

test('a file of authorities without one is refused, and not taken for all that are trusted anyway', () => {
  const text = 'security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=/ca'
  for (const [ca, says] of [
    ['', /no certificate in it/],
    ['not PEM', /no certificate in it/],
    [authority.certificate.slice(0, 200), /is cut off/],
  ] as const)
    assert.throws(
      () => connect({ commandConfig: '/f' }, path => (path === '/f' ? text : ca)),
      error =>
        isMaxbrodError(error, 'USAGE') &&
        error.message.startsWith('--command-config: the authorities to trust:') &&
        says.test(error.message),
    )
  assert.doesNotThrow(() => connect({ commandConfig: '/f' }, path => (path === '/f' ? text : authority.certificate)))
})

test('--bootstrap-server goes before the file, the file before localhost', async () => {
  const warned: unknown[] = []
  const logger: Logger = {
    ...silentLogger,
    child: () => silentLogger,
    warn: (facts: unknown) => void warned.push(facts),
  }
  const file = () => 'bootstrap.servers=from.the.file:1, also.there:2'
  await connect({ bootstrapServer: ['from.the.flag:3'], commandConfig: '/f' }, file, logger)[Symbol.asyncDispose]()
  await connect({ commandConfig: '/f' }, file, logger)[Symbol.asyncDispose]()
  await connect({}, file, logger)[Symbol.asyncDispose]()
  assert.deepEqual(warned, [
    { bootstrapServer: 'from.the.flag:3' },
    { bootstrapServer: 'from.the.file:1, also.there:2' },
    // localhost needs no warning
  ])
})

test('an address that is none is refused before anything is contacted', () => {
  for (const address of ['', 'a:b', 'a:0', 'a:65536', ':9092', 'a b:1', '[::1', 'a:1:2'])
    assert.throws(
      () => connect({ bootstrapServer: [address] }),
      error => isMaxbrodError(error, 'USAGE') && /is no address/.test(error.message),
      address,
    )
  for (const address of ['a', 'a:1', '10.0.0.1:9092', '[::1]:9092', 'PLAINTEXT://a:1', 'b-1.x_y.z:65535'])
    assert.doesNotThrow(() => connect({ bootstrapServer: [address] }), address)
})

test('passwords, passphrases and keys are hidden as soon as they are read', () => {
  const redactor = new Redactor()
  const secrets = ['canary-of-sasl', 'canary-of-the-key', 'canary-of-the-store', 'canary-of-trust']
  const text = [
    'security.protocol=SASL_SSL',
    'sasl.mechanism=SCRAM-SHA-512',
    `sasl.jaas.config=${scramModule} required username="alice" password="${secrets[0]}";`,
    `ssl.key.password=${secrets[1]}`,
    `ssl.keystore.password=${secrets[2]}`,
    `ssl.truststore.password=${secrets[3]}`,
  ].join('\n')
  connect({ commandConfig: '/f' }, () => text, silentLogger, redactor)
  for (const secret of secrets) assert.equal(redactor.clean(`x ${secret} y`), 'x [secret] y')
})

/** The first certificate in a PEM text. */
function rawOf(pem = ''): Buffer {
  return new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE'))).raw
}

function parse(text: string, readFile: (path: string) => string = () => '') {
  return parseClientProperties(text, readFile)
}

function connect(
  options: Partial<KafkaOptions>,
  readFile: (path: string) => string = () => '',
  logger = silentLogger,
  redactor = new Redactor(),
) {
  const all = { ...optionsOf(kafkaOptions), ...options }
  const listFolder = () => []
  const own = { clock: systemClock, random: systemRandom, vitals: new Vitals(systemClock) }
  return connectKafka(all, { ...own, logger, redactor, readFile, listFolder })
}
