import { Vitals } from '../../src/observe/vitals.ts'
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { inspect } from 'node:util'
import { openS3Store } from '../../src/storage/s3.ts'
import { connectKafka } from '../../src/kafka/connect.ts'
import { FrameConnection } from '../../src/kafka/kafkajs/frame-connection.ts'
import { kafkaOptions } from '../../src/kafka/options.ts'
import type { KafkaOptions } from '../../src/kafka/options.ts'
import type { Kafka as KafkaPort } from '../../src/kafka/port.ts'
import { newLogger } from '../../src/observe/logger.ts'
import { Redactor } from '../../src/observe/redact.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { Finding } from '../../src/check/finding.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { Authority } from '../helpers/certificates.ts'
import { eventually } from '../helpers/eventually.ts'
import { joinGroup } from '../helpers/group-member.ts'
import { batchOf } from '../helpers/kafka-batches.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { HttpProxy } from '../helpers/http-proxy.ts'
import { runCommand, runWith } from '../helpers/in-process.ts'
import { optionsOf } from '../helpers/options.ts'
import { freePorts } from '../helpers/ports.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { TokenServer } from '../helpers/token-server.ts'

const canary = 'canary-4711'
const modules = 'org.apache.kafka.common.security'
/** The broker closes connections whose login is older; new logins begin 10 s before that. */
const loginHoldsMs = 11_000

suite('a cluster with TLS and SASL', { skip: skipWithForeignKafka }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-security-'))
  const authority = new Authority('the authority of this test')
  const broker = authority.certify('a broker', { ip: ['127.0.0.1'] })
  const client = authority.certify('a client')
  const trust = file('trust.pem', authority.certificate)
  const brokerStore = file('broker.pem', broker.key + broker.certificate)
  const lines: string[] = []
  /** So often did a client wait before it tried something again. */
  let waited = 0
  let kafka: Kafka

  before(async () => {
    const tls = (listener: string) => ({
      [`listener.name.${listener}.ssl.keystore.type`]: 'PEM',
      [`listener.name.${listener}.ssl.keystore.location`]: brokerStore,
      [`listener.name.${listener}.ssl.truststore.type`]: 'PEM',
      [`listener.name.${listener}.ssl.truststore.location`]: trust,
    })
    kafka = await Kafka.start({
      listeners: { SCRAM: 'SASL_SSL', BASIC: 'SASL_PLAINTEXT', MUTUAL: 'SSL', TOKEN: 'SASL_SSL' },
      scramUsers: { alice: canary },
      properties: {
        ...tls('scram'),
        ...tls('mutual'),
        ...tls('token'),
        'listener.name.token.sasl.enabled.mechanisms': 'OAUTHBEARER',
        // Its validator takes tokens that nobody signed: who may ask for one is what is tested here.
        'listener.name.token.oauthbearer.sasl.jaas.config': `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
        'listener.name.mutual.ssl.client.auth': 'required',
        'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-512,SCRAM-SHA-256',
        'listener.name.scram.scram-sha-512.sasl.jaas.config': `${modules}.scram.ScramLoginModule required;`,
        'listener.name.scram.scram-sha-256.sasl.jaas.config': `${modules}.scram.ScramLoginModule required;`,
        'listener.name.basic.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.basic.plain.sasl.jaas.config': `${modules}.plain.PlainLoginModule required user_bob="${canary}";`,
        'listener.name.basic.plain.connections.max.reauth.ms': loginHoldsMs,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
        // The broker itself, and the referee.
        'super.users': 'User:ANONYMOUS',
      },
    })
  })

  after(async () => {
    await kafka?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const mechanism of ['SCRAM-SHA-512', 'SCRAM-SHA-256']) {
    test(`everything works over SASL_SSL with ${mechanism}`, async () => {
      await using port = open('SCRAM', scram(mechanism))
      await useEverything(port, mechanism)
    })
  }

  test('everything works over SASL_PLAINTEXT with PLAIN', async () => {
    await using port = open('BASIC', basic())
    await useEverything(port, 'plain')
  })

  test('everything works over TLS with a client certificate', async () => {
    await using port = open('MUTUAL', mutual())
    await useEverything(port, 'mutual')
  })

  test('everything works with tokens of an authorization server, of which one serves all connections', async () => {
    await using server = await TokenServer.start(authority, { id: 'backup', secret: canary })
    // It is busy at first, which is no refusal.
    server.busy = 2
    await using port = open('TOKEN', bearer(server.url))
    await useEverything(port, 'token')
    assert.equal(server.granted, 1)
    assert.ok(server.busy < 0)
    await using wrong = open('TOKEN', bearer(server.url, `${canary}-wrong`))
    await assert.rejects(wrong.admin.clusterId(), error => {
      assert.ok(isMaxbrodError(error, 'KAFKA_AUTH'), inspect(error))
      assert.match(error.message, /cannot log in to .*refuses a token: HTTP 401/)
      assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes(canary))
      return true
    })
  })

  test('everything works with the folder of a Service Binding', async () => {
    const binding = join(folder, 'bindings', 'shop')
    mkdirSync(binding, { recursive: true })
    const entries = {
      type: 'kafka\n',
      provider: 'strimzi',
      bootstrapServers: kafka.brokers[0]!.addressOf('SCRAM'),
      securityProtocol: 'SASL_SSL',
      saslMechanism: 'SCRAM-SHA-512',
      username: 'alice',
      password: canary,
      'ssl.truststore.crt': authority.certificate,
    }
    for (const [name, content] of Object.entries(entries)) writeFileSync(join(binding, name), content)
    await using port = openWith({ ...optionsOf(kafkaOptions), serviceBinding: join(folder, 'bindings') })
    await useEverything(port, 'binding')
  })

  test('a login that the broker limits is renewed in time, over the same connection', async t => {
    await using port = open('BASIC', basic())
    const logins = t.mock.method(FrameConnection.prototype, 'login')
    await eventually('a second login over a connection', async () => {
      await port.admin.clusterId()
      const connections = logins.mock.calls.map(call => call.this)
      // Where the machine stands still for longer than a login holds, the broker hangs up, and there is another one.
      return new Set(connections).size < connections.length
    })
    await port.admin.clusterId()
  })

  test('everything works with --kafka-mtls-auth and the files of kafka-data-keep', async () => {
    const flags = [
      '-kafka-mtls-auth',
      `-kafka-mtls-ca-cert-path=${trust}`,
      `-kafka-mtls-client-cert-path=${file('tls.crt', client.certificate)}`,
      `-kafka-mtls-client-key-path=${file('tls.key', client.key)}`,
    ]
    await using port = open('MUTUAL', [], ...flags)
    await useEverything(port, 'mutual-flags')
    assert.throws(() => open('MUTUAL', [], '-kafka-mtls-auth', '-kafka-mtls-ca-cert-path=/none/ca.crt'), {
      code: 'USAGE',
      message: /^--kafka-mtls-ca-cert-path: .*no such file/,
    })
  })

  test('a wrong password, user or mechanism ends at once with exit code 12 and what to check', async () => {
    const refused: [what: string, listener: string, lines: string[]][] = [
      ['SCRAM password', 'SCRAM', scram('SCRAM-SHA-512', 'alice', `${canary}-wrong`)],
      ['SCRAM user', 'SCRAM', scram('SCRAM-SHA-512', 'mallory')],
      ['PLAIN password', 'BASIC', basic('bob', `${canary}-wrong`)],
      [
        'mechanism',
        'BASIC',
        ['security.protocol=SASL_PLAINTEXT', ...sasl('SCRAM-SHA-512', 'scram.Scram', 'bob', canary)],
      ],
    ]
    for (const [what, listener, properties] of refused) {
      await using port = open(listener, properties)
      const waitedBefore = waited
      const error = await port.admin.clusterId().then(assert.fail, (thrown: unknown) => thrown)
      assert.ok(isMaxbrodError(error, 'KAFKA_AUTH'), `${what}: ${inspect(error)}`)
      assert.match(error.message, /cannot log in to 127.0.0.1:\d+: Connect to .*SASL_AUTHENTICATION_FAILED/, what)
      assert.match(error.hint ?? '', /user, password and mechanism/)
      assert.equal(waited, waitedBefore, `${what}: it was tried again`)
      assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes(canary), what)
    }
  })

  test('a certificate for another host, or of another authority, is refused at once; so are we without one', async () => {
    const stranger = file('stranger.pem', new Authority('nobody').certificate)
    const refused: [what: string, listener: string, lines: string[], message: RegExp][] = [
      [
        'host',
        'SCRAM',
        [...scram('SCRAM-SHA-512'), 'bootstrap.servers=localhost:PORT'],
        /does not match certificate's altnames/,
      ],
      [
        'authority',
        'SCRAM',
        [...scram('SCRAM-SHA-512'), `ssl.truststore.location=${stranger}`],
        /self-signed|unable to (get|verify)/,
      ],
      [
        'client',
        'MUTUAL',
        mutual().filter(line => !line.includes('keystore')),
        /\(the other side says: [^()\n:]*alert [a-z ]*certificate[a-z ]*\)$/,
      ],
    ]
    for (const [what, listener, properties, message] of refused) {
      await using port = open(listener, properties)
      const waitedBefore = waited
      const error = await port.admin.clusterId().then(assert.fail, (thrown: unknown) => thrown)
      assert.ok(isMaxbrodError(error, 'KAFKA_AUTH'), `${what}: ${inspect(error)}`)
      assert.match(error.message, message, what)
      assert.match(error.hint ?? '', /ssl.truststore/, what)
      assert.equal(waited, waitedBefore, `${what}: it was tried again`)
    }
  })

  test('maxbrod check names the right that is missing, and says when certificates end', async () => {
    await using referee = Referee.start(kafka.bootstrap)
    for (const topic of ['seen', 'read']) await referee.createTopic(topic)
    await referee.denyReading('seen', 'alice')
    const commandConfig = file('alice.properties', scram('SCRAM-SHA-512').join('\n'))
    const { exit, stdout, stderr, json } = await runCommand([
      'check',
      `--bootstrap-server=${kafka.brokers[0]!.addressOf('SCRAM')}`,
      `--command-config=${commandConfig}`,
      '--topics=seen|read',
      `--storage=file://${folder}/backup`,
      `--working-dir=${folder}/work`,
      '--timeout=120s',
    ])
    assert.equal(exit, 4, stderr)
    const told = (json['checks'] as Finding[]).filter(({ verdict }) => verdict !== 'OK')
    assert.deepEqual(
      told.map(({ verdict, check, says }) => `${verdict} ${check}: ${says}`),
      [
        'FAIL rights on topics: READ is missing on seen',
        'WARN rights on topics: DESCRIBE_CONFIGS is missing on seen: the configs of topics are not saved, so a restore cannot create them',
      ],
    )
    assert.match(
      stdout,
      /certificate of 127\.0\.0\.1:\d+","verdict":"OK","says":"ends in \d+ days, at 2049-12-31T23:59:59/,
    )
    assert.ok(!(stdout + stderr).includes(canary))
  })

  test('whoever speaks to a port in another way than it wants hears which way that is, in one sentence', async () => {
    const plain = kafka.bootstrap
    const [scrammed, basicly] = [kafka.brokers[0]!.addressOf('SCRAM'), kafka.brokers[0]!.addressOf('BASIC')]
    const overTls = ['security.protocol=SSL', 'ssl.truststore.type=PEM', `ssl.truststore.location=${trust}`]
    const wrongWays: [what: string, address: string, lines: string[], exits: number[], words: RegExp][] = [
      ['plain text to TLS', scrammed, [], [5], /this listener speaks TLS/],
      ['TLS to plain text', plain, overTls, [5], /a listener that speaks no TLS/],
      ['no login', basicly, [], [5], /wants TLS or SASL/],
      ['a login that nobody asked for', plain, basic(), [12], /a listener that wants no login/],
    ]
    for (const [what, address, properties, exits, words] of wrongWays) {
      const config = file('way.properties', properties.join('\n'))
      const argv = ['topics', `--bootstrap-server=${address}`, `--command-config=${config}`]
      let { exit, stderr } = await runCommand([...argv, '--kafka-deadline=3s'])
      // On a machine that stood still nobody has answered within that.
      if (!words.test(stderr)) ({ exit, stderr } = await runCommand([...argv, '--kafka-deadline=60s']))
      const sentences = stderr.split('\n').filter(line => line.startsWith('maxbrod: '))
      assert.ok(exits.includes(exit), `${what}: ${exit} ${stderr}`)
      assert.equal(sentences.length, 1, `${what}: ${stderr}`)
      assert.match(sentences[0]!, words, what)
      assert.doesNotMatch(stderr, /^ {4}at /m, what)
    }
  })

  test('secrets wherever they may stand are in nothing that a day of backup, restore and mistakes says or leaves behind', async () => {
    await using bucket = await openBucket()
    await using referee = Referee.start(kafka.bootstrap)
    await using proxy = await HttpProxy.start('alice:canary-of-the-proxy')
    await using tokens = await TokenServer.start(authority, { id: 'backup', secret: canary })
    const key = newAgeKey()
    const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '', ...rest } = process.env
    const setAws = (aws: Readonly<Record<string, string>>) => (process.env = { ...rest, ...aws })
    const inVariables = { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret }
    using _ = { [Symbol.dispose]: () => void setAws(inVariables) }
    const work = join(folder, 'day')
    mkdirSync(work)
    // What the SDK finds in a profile; what is in variables; and what is wrong in both.
    const profile = file('credentials', `[backup]\naws_access_key_id=${id}\naws_secret_access_key=${secret}\n`)
    const withProfile = { AWS_SHARED_CREDENTIALS_FILE: profile, AWS_PROFILE: 'backup' }
    const withToken = { ...inVariables, AWS_SESSION_TOKEN: 'canary-of-the-session' }
    const wrong = { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: 'canary-that-is-wrong' }
    // A password in a file beside the properties, and a key with one of its own.
    file('passwords.properties', `alice=${canary}`)
    const provided = scram('SCRAM-SHA-512', 'alice', `\${file:${folder}/passwords.properties:alice}`)
    const provider = [
      'config.providers=file',
      'config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider',
    ]
    const config = file('day.properties', [...provided, ...provider].join('\n'))
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'canary-of-the-key' }
    const sealed = createPrivateKey(client.key).export({ type: 'pkcs8', format: 'pem', ...cipher })
    const keyStore = [
      `ssl.keystore.location=${file('sealed.pem', sealed + client.certificate)}`,
      'ssl.key.password=canary-of-the-key',
    ]
    const identity = file('identity.txt', key.identityText)

    const stored = [`--storage=${bucket.url('shop')}`, `--s3-endpoint=${bucket.endpoint}`]
    const way = ['--s3-proxy', proxy.url, '--s3-proxy-user=alice']
    const at = (listener: string, properties: string) => [
      `--bootstrap-server=${kafka.brokers[0]!.addressOf(listener)}`,
      `--command-config=${properties}`,
    ]
    const scrammed = at('SCRAM', config)
    const said: string[] = []
    const run = async (aws: Readonly<Record<string, string>>, exit: number, ...argv: string[]) => {
      setAws(aws)
      const ofStore = ['status', 'topics'].includes(argv[0] ?? '') ? [] : stored
      const result = await runWith([...argv, '--log-level=debug', ...ofStore], {
        S3_PROXY_PASSWORD: 'canary-of-the-proxy',
      })
      said.push(result.stdout, result.stderr)
      assert.equal(result.exit, exit, `${argv.join(' ')}: ${result.stderr}`)
      return result
    }

    await referee.createTopic('day')
    await referee.generate('day', { partitions: 1, records: 100 })
    const backup = [
      'backup',
      '--once',
      '--topics=day',
      `--working-dir=${work}`,
      '--flush-port=0',
      `--encrypt-to=${key.recipientText}`,
    ]
    const [metricsPort = 0] = await freePorts(1)
    await run(withProfile, 0, ...backup, `--metrics-port=${metricsPort}`, ...way, ...scrammed)
    assert.ok(proxy.asked.length > 0)
    const opened = ['--identity', identity]
    const plan = ['--plan-topic=day.plan']
    await run(
      inVariables,
      0,
      'plan',
      '--target-prefix=back.',
      '--create-topics',
      ...plan,
      ...opened,
      ...way,
      ...scrammed,
    )
    await run(inVariables, 0, 'restore', '--exit-when-done', '--metrics-port=0', ...plan, ...opened, ...scrammed)
    await run(inVariables, 0, 'status', ...plan, ...scrammed)
    await run(inVariables, 0, 'verify', ...opened)
    await run(inVariables, 0, 'coverage', ...opened)
    await run(inVariables, 0, 'report', '--out', join(work, 'report.html'), ...plan, ...opened, ...scrammed)
    await run(inVariables, 0, 'check', `--working-dir=${work}`, '--topics=day', '--timeout=120s', ...way, ...scrammed)
    const sealedFlags = at('MUTUAL', file('sealed.properties', [...mutual(), ...keyStore].join('\n')))
    await run(inVariables, 0, 'topics', ...sealedFlags)
    await run(inVariables, 0, 'topics', ...at('TOKEN', file('bearer.properties', bearer(tokens.url).join('\n'))))
    assert.ok(tokens.granted > 0)
    for (const command of ['backup', 'plan', 'restore', 'verify', 'check', 'prune'])
      await run(
        inVariables,
        0,
        'config',
        'show',
        command,
        ...way,
        ...(command === 'prune' || command === 'verify' ? [] : scrammed),
      )
    // What is wrong is a secret as well: somebody meant it for another place.
    await run(wrong, 12, 'verify', ...opened)
    // This server knows no tokens.
    await run(withToken, 1, 'verify', ...opened)
    await run(
      inVariables,
      12,
      'topics',
      ...at('SCRAM', file('wrong.properties', scram('SCRAM-SHA-512', 'alice', 'canary-that-is-wrong').join('\n'))),
    )
    const wrongKey = ['ssl.key.password=canary-that-is-wrong', ...keyStore.slice(0, 1)]
    await run(
      inVariables,
      2,
      'topics',
      ...at('MUTUAL', file('wrong.properties', [...mutual(), ...wrongKey].join('\n'))),
    )

    const secrets = [canary, secret, key.identityText, ...tokens.tokens]
    const left = [...textsBelow(work), ...(await objectsIn(bucket.options))]
    await using port = open('SCRAM', scram('SCRAM-SHA-512'))
    for (const topic of ['day.plan', '__consumer_offsets']) {
      const texts = await recordsIn(port, topic)
      assert.ok(texts.length > 0)
      left.push(...texts)
    }
    assert.ok(left.length > 5)
    for (const text of [...said, ...left, ...lines]) {
      for (const one of secrets) assert.ok(!text.includes(one), text.slice(0, 2_000))
      assert.doesNotMatch(text, /canary-(of|that)-/)
    }
  })

  test('certificates of another authority, renewed under load, are taken with the next connection, without a restart', async () => {
    await using port = open('MUTUAL', mutual())
    const topic = 'renewed'
    await port.admin.createTopic({ name: topic, partitions: 1, replicationFactor: 1, configs: new Map() })
    await using member = await joinGroup(port, { groupId: topic, topics: /^renewed$/, sessionTimeoutMs: 30_000 })
    using appender = port.newAppender()
    let acknowledged = 0
    const load = new AbortController()
    const appending = (async () => {
      for (let n = 0; !load.signal.aborted; n++) {
        const appended = await appender
          .append({ topic, partition: 0, batch: batchOf([`${n}`]), mayWrite: () => true })
          .catch(() => undefined)
        if (appended?.kind === 'acknowledged') acknowledged++
        else await port.routes.refresh([topic]).catch(() => undefined)
        await sleep(20)
      }
    })()
    await eventually('the load goes on', () => acknowledged > 10)

    const renewed = new Authority('another authority')
    const newBroker = renewed.certify('a broker', { ip: ['127.0.0.1'] })
    const newClient = renewed.certify('a client')
    file('client.pem', newClient.key + newClient.certificate)
    file('trust.pem', renewed.certificate)
    file('broker.pem', newBroker.key + newBroker.certificate)
    await kafka.brokers[0]!.kill9()
    await kafka.brokers[0]!.restart()
    const soFar = acknowledged
    await eventually('the load goes on with the new certificates', () => acknowledged > soFar + 10)
    load.abort()
    await appending
    assert.equal(lines.filter(line => line.includes('have changed: new connections use the new ones')).length, 1)
    await eventually('the member commits under its old ownership', async () => {
      const outcomes = await member.session.commit([
        { ownership: member.ownership('renewed-0'), offset: 1, leaderEpoch: -1, metadata: '' },
      ])
      return outcomes.get({ topic, partition: 0 }) === 'committed'
    })
    await member.session.leave()

    await using old = open('MUTUAL', [...mutual(), `ssl.truststore.location=${file('old.pem', authority.certificate)}`])
    await assert.rejects(old.admin.clusterId(), { code: 'KAFKA_AUTH' })
  })

  test('no secret was printed by any of it', () => {
    const said = lines.join('')
    assert.match(said, /joined the group/, 'the log is there')
    assert.ok(!said.includes(canary))
  })

  // ---- the ways in

  function file(name: string, content: string): string {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }

  function sasl(mechanism: string, module: string, user: string, password: string): string[] {
    const jaas = `${modules}.${module}LoginModule required username="${user}" password="${password}";`
    return [`sasl.mechanism=${mechanism}`, `sasl.jaas.config=${jaas}`]
  }

  function scram(mechanism: string, user = 'alice', password = canary): string[] {
    const tls = ['security.protocol=SASL_SSL', 'ssl.truststore.type=PEM', `ssl.truststore.location=${trust}`]
    return [...tls, ...sasl(mechanism, 'scram.Scram', user, password)]
  }

  function basic(user = 'bob', password = canary): string[] {
    return ['security.protocol=SASL_PLAINTEXT', ...sasl('PLAIN', 'plain.Plain', user, password)]
  }

  function bearer(endpoint: string, secret = canary): string[] {
    return [
      'security.protocol=SASL_SSL',
      'ssl.truststore.type=PEM',
      `ssl.truststore.location=${trust}`,
      'sasl.mechanism=OAUTHBEARER',
      `sasl.oauthbearer.token.endpoint.url=${endpoint}`,
      `sasl.jaas.config=${modules}.oauthbearer.OAuthBearerLoginModule required clientId="backup" clientSecret="${secret}" scope="kafka";`,
    ]
  }

  function mutual(): string[] {
    const store = file('client.pem', client.key + client.certificate)
    return [
      'security.protocol=SSL',
      'ssl.truststore.type=PEM',
      `ssl.truststore.location=${trust}`,
      'ssl.keystore.type=PEM',
      `ssl.keystore.location=${store}`,
    ]
  }

  function open(listener: string, properties: readonly string[], ...flags: string[]): KafkaPort {
    const address = kafka.brokers[0]!.addressOf(listener)
    const text = [`bootstrap.servers=${address}`, ...properties].join('\n').replace('PORT', address.split(':')[1]!)
    const commandConfig = file('client.properties', text)
    return openWith({ ...optionsOf(kafkaOptions, ...flags), commandConfig })
  }

  function openWith(options: KafkaOptions): KafkaPort {
    const redactor = new Redactor()
    const write = (line: string) => void lines.push(line)
    const logger = newLogger({ level: 'debug', format: 'json', isColored: false, clock: systemClock, redactor, write })
    const readFile = (path: string) => readFileSync(path, 'utf8')
    const listFolder = (path: string) => readdirSync(path)
    const clock: typeof systemClock = {
      ...systemClock,
      async sleep(ms, signal) {
        await systemClock.sleep(ms, signal)
        if (signal?.aborted !== true) waited++
      },
    }
    const own = { clock, random: systemRandom, vitals: new Vitals(systemClock) }
    return connectKafka(options, { ...own, logger, redactor, readFile, listFolder })
  }
})

/** Metadata, configs, produce, fetch and a group: each has connections of its own. */
async function useEverything(kafka: KafkaPort, name: string): Promise<void> {
  const topic = `secure-${name.toLowerCase()}`
  const place = { topic, partition: 0 }
  await kafka.admin.createTopic({ name: topic, partitions: 1, replicationFactor: 1, configs: new Map() })
  await eventually('the topic is known', async () => (await kafka.admin.topics([topic]))[0]?.partitions === 1)
  using appender = kafka.newAppender()
  const answer = await eventually('the topic has a leader', async () => {
    const appended = await appender.append({ ...place, batch: batchOf(['a', 'b']), mayWrite: () => true })
    return appended.kind === 'acknowledged' && appended
  })
  assert.equal(answer.baseOffset, 0)
  const values: string[] = []
  for await (const record of kafka.readRecords(place, 0, 2, AbortSignal.timeout(60_000)))
    values.push(String(record.value))
  assert.deepEqual(values, ['a', 'b'])
  await using member = await joinGroup(kafka, { groupId: topic, topics: new RegExp(`^${topic}$`) })
  const outcomes = await member.session.commit([
    { ownership: member.ownership(`${topic}-0`), offset: 2, leaderEpoch: -1, metadata: 'note' },
  ])
  assert.equal(outcomes.get(place), 'committed')
  await member.session.leave()
  assert.deepEqual((await kafka.admin.committed(topic, [place])).get(place), { offset: 2, metadata: 'note' })
}

/** All files of a folder, and their names. */
function textsBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.flatMap(entry => {
    const path = join(entry.parentPath, entry.name)
    return entry.isFile() ? [path, readFileSync(path, 'latin1')] : []
  })
}

async function objectsIn(options: Parameters<typeof openS3Store>[0]): Promise<string[]> {
  const store = openS3Store(options)
  const texts: string[] = []
  for await (const { key } of store.list('')) {
    await using read = await store.get(key)
    texts.push(key)
    for await (const chunk of read.body) texts.push(chunk.toString('latin1'))
  }
  store.close()
  return texts
}

async function recordsIn(port: KafkaPort, topic: string): Promise<string[]> {
  const [described] = await port.admin.topics([topic])
  const all = Array.from({ length: described?.partitions ?? 0 }, (_, partition) => ({ topic, partition }))
  const { offsets } = await port.admin.offsets('high watermark', all)
  const texts: string[] = []
  for (const [partition, end] of offsets)
    for await (const { key, value } of port.readRecords(partition, 0, end, AbortSignal.timeout(60_000)))
      texts.push(`${key?.toString('latin1')} ${value?.toString('latin1')}`)
  return texts
}
