import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseClientProperties } from '../../src/kafka/client-properties.ts'
import { readServiceBinding } from '../../src/kafka/service-binding.ts'
import { keptToken } from '../../src/kafka/tokens/kept-token.ts'
import { regionOf, signToken } from '../../src/kafka/tokens/msk-iam.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const noFiles = (path: string): string => assert.fail(path)
const absent = (path: string): never => {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
}
const parse = (...lines: string[]) => parseClientProperties(lines.join('\n'), noFiles)
const oauth = ['security.protocol=SASL_SSL', 'sasl.mechanism=OAUTHBEARER']

test('client credentials are read under the names of Kafka 4.1, and as options of the JAAS line as before', () => {
  const expected = {
    mechanism: 'oauthbearer',
    endpoint: 'https://login.example/token',
    clientId: 'backup',
    clientSecret: 's3cret',
    scope: 'kafka',
  }
  const endpoint = 'sasl.oauthbearer.token.endpoint.url=https://login.example/token'
  const byProperties = parse(
    ...oauth,
    endpoint,
    'sasl.oauthbearer.client.credentials.client.id=backup',
    'sasl.oauthbearer.client.credentials.client.secret=s3cret',
    'sasl.oauthbearer.scope=kafka',
  )
  const byJaas = parse(
    ...oauth,
    endpoint,
    'sasl.jaas.config=X required clientId="backup" clientSecret="s3cret" scope="kafka";',
  )
  for (const { sasl, secrets } of [byProperties, byJaas]) {
    assert.deepEqual(sasl, expected)
    assert.deepEqual(secrets, ['s3cret'])
  }
})

test('a secret is sent over https only, except on this machine', () => {
  const to = (url: string) =>
    parse(
      ...oauth,
      `sasl.oauthbearer.token.endpoint.url=${url}`,
      'sasl.jaas.config=X required clientId=a clientSecret=b;',
    )
  assert.throws(() => to('http://login.example/token'), { code: 'USAGE', message: /must begin with https/ })
  assert.throws(() => to('nothing'), { code: 'USAGE' })
  assert.equal(to('http://localhost:8080/token').sasl?.mechanism, 'oauthbearer')
  assert.throws(
    () => to('https://backup:s3cret@login.example/token'),
    error =>
      isMaxbrodError(error, 'USAGE') &&
      /holds a user/.test(error.message) &&
      !/s3cret/.test(error.message + error.hint),
  )
  assert.throws(() => parse(...oauth), { code: 'USAGE', message: /needs a token endpoint/ })
})

test('what refers to mounted files is read from them: secrets need not stand in the properties', () => {
  const files: Record<string, string> = {
    '/mnt/user/password': 's3 cret\n',
    '/mnt/shop.properties': 'name = alice\n',
  }
  const { sasl, secrets } = parseClientProperties(
    [
      'security.protocol=SASL_SSL',
      'sasl.mechanism=PLAIN',
      'config.providers=dir,file',
      'config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider',
      'config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider',
      'sasl.jaas.config=X required username="${file:/mnt/shop.properties:name}" password="${dir:/mnt/user:password}";',
    ].join('\n'),
    path => files[path] ?? assert.fail(path),
  )
  assert.deepEqual(sasl, { mechanism: 'plain', username: 'alice', password: 's3 cret' })
  assert.deepEqual(secrets, ['s3 cret'])
  assert.throws(
    () => parse('config.providers=vault', 'config.providers.vault.class=com.example.Vault', 'a=${vault:b:c}'),
    {
      code: 'USAGE',
      message: /config\.providers\.vault\.class=com\.example\.Vault is none of/,
    },
  )
  const env = 'org.apache.kafka.common.config.provider.EnvVarConfigProvider'
  assert.throws(() => parse('config.providers=env', `config.providers.env.class=${env}`, 'a=${env:PASSWORD}'), {
    code: 'USAGE',
    message: /EnvVarConfigProvider is none of/,
  })
  // Nobody named that provider, so it is no reference.
  assert.equal(parse('security.protocol=PLAINTEXT', 'a=${b:c:d}').sasl, null)
})

test('a binding is found by its type, next to others, and its user is escaped for the JAAS line', () => {
  const files: Record<string, string> = {
    '/b/db/type': 'postgresql',
    '/b/kafka/type': 'kafka\n',
    '/b/kafka/bootstrapServers': 'a:9093,b:9093',
    '/b/kafka/securityProtocol': 'SASL_SSL',
    '/b/kafka/saslMechanism': 'SCRAM-SHA-512',
    '/b/kafka/username': 'alice',
    '/b/kafka/password': 'say "hello" \\',
  }
  const read = (more: Record<string, string> = {}) => {
    const all = { ...files, ...more }
    return readServiceBinding('/b', {
      readFile: path => all[path] ?? absent(path),
      listFolder: () => ['..data', ...new Set(Object.keys(all).map(path => path.split('/')[2]!))],
    })
  }
  const properties = read()
  assert.equal(properties.get('bootstrap.servers'), 'a:9093,b:9093')
  const text = [...properties].map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}`)
  assert.deepEqual(parse(...text).sasl, { mechanism: 'scram-sha-512', username: 'alice', password: 'say "hello" \\' })
  assert.throws(() => read({ '/b/other/type': 'kafka' }), {
    code: 'USAGE',
    message: /several bindings.*\/b\/kafka, \/b\/other/,
  })
  assert.throws(() => readServiceBinding('/none', { readFile: noFiles, listFolder: () => assert.fail('ENOENT') }), {
    code: 'USAGE',
    message: /\/none cannot be read/,
  })
})

test('an entry of a binding that is there and cannot be read is no missing one: it may be what asks for TLS', () => {
  const files: Record<string, string> = { '/b/type': 'kafka', '/b/bootstrapServers': 'a:9093' }
  const readFile = (path: string) => {
    if (path === '/b/securityProtocol') throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    return files[path] ?? absent(path)
  }
  assert.throws(() => readServiceBinding('/b', { readFile, listFolder: () => [] }), {
    code: 'USAGE',
    message: '--service-binding: EACCES: permission denied',
  })
})

test('a token serves all who come until a minute before its end; those who come together ask once', async () => {
  const clock = new ManualClock()
  let asked = 0
  const token = keptToken(async () => ({ value: `${++asked}`, expiresAtMs: clock.now() + 3_600_000 }), clock)
  const values = async () => (await Promise.all([token(), token()])).map(({ value }) => value)
  assert.deepEqual(await values(), ['1', '1'])
  clock.advance(3_539_000)
  assert.deepEqual(await values(), ['1', '1'])
  clock.advance(2_000)
  assert.deepEqual(await values(), ['2', '2'])
})

test('an answer that failed is not kept', async () => {
  const clock = new ManualClock()
  let asked = 0
  const token = keptToken(async () => {
    if (++asked === 1) throw new Error('no')
    return { value: 'later', expiresAtMs: clock.now() + 3_600_000 }
  }, clock)
  await assert.rejects(token(), /no/)
  assert.equal((await token()).value, 'later')
})

test('the region of MSK is that of the names of its brokers, or is given', () => {
  assert.equal(regionOf(['localhost', 'b-1.orders.abc123.c2.kafka.eu-west-1.amazonaws.com']), 'eu-west-1')
  assert.equal(regionOf(['boot-x.c1.kafka-serverless.us-east-2.amazonaws.com']), 'us-east-2')
  assert.throws(() => regionOf(['kafka.example.com']), { code: 'USAGE' })
  const line =
    'sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required awsRegion="eu-north-1" awsProfileName="shop";'
  const { sasl } = parse('security.protocol=SASL_SSL', 'sasl.mechanism=AWS_MSK_IAM', line)
  assert.deepEqual(sasl, {
    mechanism: 'msk iam',
    region: 'eu-north-1',
    profile: 'shop',
    roleArn: undefined,
    roleSessionName: undefined,
  })
})

test('the token for MSK is a request that the credentials of this process have signed, and says nothing of their secret', async t => {
  const secret = 'canary-secret-4711'
  const before = { ...process.env }
  t.after(() => Object.assign(process.env, before))
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: secret })
  const options = {
    mechanism: 'msk iam',
    region: 'eu-west-1',
    profile: undefined,
    roleArn: undefined,
    roleSessionName: undefined,
  } as const
  const { value, expiresAtMs } = await signToken(options, [])
  const url = new URL(Buffer.from(value, 'base64url').toString())
  assert.equal(url.hostname, 'kafka.eu-west-1.amazonaws.com')
  assert.equal(url.searchParams.get('Action'), 'kafka-cluster:Connect')
  assert.match(
    url.searchParams.get('X-Amz-Credential') ?? '',
    /^AKIATEST\/\d{8}\/eu-west-1\/kafka-cluster\/aws4_request$/,
  )
  assert.match(url.searchParams.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/)
  assert.ok(expiresAtMs > Date.now())
  assert.ok(!value.includes(secret) && !url.href.includes(secret))
})

test('other mechanisms are refused with those that there are', () => {
  assert.throws(
    () => parse('security.protocol=SASL_SSL', 'sasl.mechanism=GSSAPI'),
    error => {
      assert.ok(isMaxbrodError(error, 'USAGE'))
      assert.match(error.message, /GSSAPI is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, AWS_MSK_IAM/)
      return true
    },
  )
})
