import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCommands, commandTable, findCommand, inOurWords } from '../../src/commands/command-table.ts'
import { commonSections } from '../../src/commands/common-sections.ts'
import { declaredOptions } from '../../src/config/declared.ts'
import { parse } from '../../src/config/parse.ts'
import { otherFlags } from '../../src/commands/other-flags.ts'
import { runCommand } from '../helpers/in-process.ts'

/** What another program calls an option, a text in its way of writing, and what our code gets: section, key, value. */
type Row = readonly [flag: string, variable: string | undefined, text: string, where: string, value: unknown]

const s3 = (bucket: string, prefix = '') => ({ kind: 's3', bucket, prefix })
const seconds = 1_000

/** Of all commands of kafka-data-keep. */
const everywhere: readonly Row[] = [
  ['brokers', 'KAFKA_BROKERS', 'a:9092,b:9092', 'kafka.bootstrapServer', ['a:9092', 'b:9092']],
  ['brokersDNSSrv', 'KAFKA_BROKERS_DNS_SRV', '_kafka._tcp.x', 'kafka.brokersDnsSrv', '_kafka._tcp.x'],
  ['kafka-mtls-auth', 'KAFKA_MTLS_AUTH', 'true', 'kafka.kafkaMtlsAuth', true],
  ['kafka-mtls-ca-cert-path', 'KAFKA_MTLS_CA_CERT_PATH', '/x/ca', 'kafka.kafkaMtlsCaCertPath', '/x/ca'],
  ['kafka-mtls-client-cert-path', 'KAFKA_MTLS_CLIENT_CERT_PATH', '/x/crt', 'kafka.kafkaMtlsClientCertPath', '/x/crt'],
  ['kafka-mtls-client-key-path', 'KAFKA_MTLS_CLIENT_KEY_PATH', '/x/key', 'kafka.kafkaMtlsClientKeyPath', '/x/key'],
  ['kgo-log-level', 'KGO_LOG_LEVEL', 'WARN', 'kafka.kafkaLogLevel', 'warn'],
  ['kgo-log-level', 'KGO_LOG_LEVEL', 'NONE', 'kafka.kafkaLogLevel', 'error'],
  ['s3-bucket', 'S3_BUCKET', 'backups', 'storage.storage', s3('backups')],
  ['s3-endpoint', 'AWS_ENDPOINT_URL', 'https://s3.test', 'storage.s3Endpoint', 'https://s3.test'],
  ['s3-region', 'AWS_REGION', 'eu-west-1', 'storage.s3Region', 'eu-west-1'],
  ['log-level', 'LOG_LEVEL', 'INFO', 'log.logLevel', 'info'],
  ['log-format', 'LOG_FORMAT', 'text', 'log.logFormat', 'text'],
  ['metrics-port', 'METRICS_PORT', '9081', 'metrics.metricsPort', 9081],
  ['enable-pprof', 'ENABLE_PPROF', 'true', 'metrics.enablePprof', true],
  ['pprof-port', 'PPROF_PORT', '6061', 'metrics.pprofPort', 6061],
]

const dataKeep: Readonly<Record<string, readonly Row[]>> = {
  'topics-backup': [
    ...everywhere,
    ['topics-regex', 'KAFKA_TOPICS_REGEX', 'a{1,3}, b', 'backup.topics', [/a{1,3}/su, /b/su]],
    ['exclude-topics-regex', 'KAFKA_EXCLUDE_TOPICS_REGEX', 'a,b', 'backup.excludeTopics', [/a/su, /b/su]],
    ['group-id', 'KAFKA_GROUP_ID', 'g', 'backup.groupId', 'g'],
    ['min-file-size', 'MIN_FILE_SIZE', '5242880', 'backup.minFileSize', 5_242_880],
    ['partition-idle-threshold', 'PARTITION_IDLE_THRESHOLD', '1m30s', 'backup.idleAfter', 90 * seconds],
    ['working-dir', 'WORKING_DIR', '/data', 'backup.workingDir', '/data'],
    ['enable-flush-server', 'ENABLE_FLUSH_SERVER', 'false', 'backup.enableFlushServer', false],
    ['flush-server-port', 'FLUSH_SERVER_PORT', '9082', 'backup.flushPort', 9082],
  ],
  'topics-plan-restore': [
    ...everywhere,
    ['restore-topics-regex', 'RESTORE_TOPICS_REGEX', 'd1.*, d2.*', 'plan.topics', [/d1.*/su, /d2.*/su]],
    ['exclude-topics-regex', 'EXCLUDE_TOPICS_REGEX', 'a,b', 'plan.excludeTopics', [/a/su, /b/su]],
    ['plan-topic', 'PLAN_TOPIC', 'pubsub.plan', 'plan.planTopic', 'pubsub.plan'],
    ['restore-topic-prefix', 'KAFKA_RESTORE_TOPIC_PREFIX', 'restored.', 'plan.targetPrefix', 'restored.'],
  ],
  'topics-restore': [
    ...everywhere,
    ['plan-topic', 'KAFKA_PLAN_TOPIC', 'pubsub.plan', 'restore.planTopic', 'pubsub.plan'],
    ['restore-topic-prefix', 'KAFKA_RESTORE_TOPIC_PREFIX', 'restored.', 'restore.restoreTopicPrefix', 'restored.'],
    ['group-id', 'KAFKA_GROUP_ID', 'g', 'restore.groupId', 'g'],
  ],
  'consumer-groups-backup': [
    ...everywhere,
    ['run-interval', 'RUN_INTERVAL', '5m', 'groupsBackup.interval', 300 * seconds],
  ],
  'consumer-groups-restore': [
    ...everywhere,
    ['s3-location', 'S3_LOCATION', 'groups/offsets.avro', 'storage.s3Location', 'groups/offsets.avro'],
    ['restore-groups-prefix', 'RESTORE_GROUPS_PREFIX', 'r.', 'groupsRestore.groupPrefix', 'r.'],
    ['restore-topics-prefix', 'RESTORE_TOPICS_PREFIX', 'r.', 'groupsRestore.targetPrefix', 'r.'],
    ['include-regexes', 'INCLUDE_REGEXES', 'a.*,b', 'groupsRestore.groups', [/a.*/su, /b/su]],
    ['exclude-regexes', 'EXCLUDE_REGEXES', 'a.*,b', 'groupsRestore.excludeGroups', [/a.*/su, /b/su]],
    ['loop-interval', 'LOOP_INTERVAL', '1m', 'groupsRestore.loopInterval', 60 * seconds],
  ],
}

/** kafka-backup, and the properties of backup connectors, under the commands that do their work. */
const others: Readonly<Record<string, readonly Row[]>> = {
  backup: [
    ['bootstrap-servers', 'KAFKA_BOOTSTRAP_SERVERS', 'a:1', 'kafka.bootstrapServer', ['a:1']],
    ['topic', undefined, 'a.b', 'backup.topics', [/^(?:a\.b)$/su]],
    ['t', undefined, 'a,b', 'backup.topics', [/^(?:a)$/su, /^(?:b)$/su]],
    ['topics-regex', undefined, 'abc.*', 'backup.topics', [/abc.*/su]],
    ['continuous', undefined, 'true', 'backup.once', false],
    ['max-chunk-size', undefined, '104857600', 'backup.maxFileSize', 104_857_600],
    [
      'directory',
      undefined,
      'kafka-backup-data',
      'storage.storage',
      { kind: 'directory', folder: 'kafka-backup-data' },
    ],
    ['s3-region', undefined, 'eu-west-1', 'storage.s3Region', 'eu-west-1'],
    ['verbose', undefined, 'true', 'log.logLevel', 'debug'],
    ['flush.size', undefined, '3', 'backup.maxFileRecords', 3],
    ['rotate.interval.ms', undefined, '60000', 'backup.maxFileAge', 60 * seconds],
    ['s3.bucket.name', undefined, 'backups', 'storage.storage', s3('backups')],
    ['s3.region', undefined, 'eu-central-1', 'storage.s3Region', 'eu-central-1'],
  ],
  plan: [
    ['topic', undefined, 'a', 'plan.topics', [/^(?:a)$/su]],
    ['t', undefined, 'a/b', 'plan.rename', new Map([['a', 'b']])],
    ['topic', undefined, 'a/b', 'plan.topics', [/^(?:a)$/su]],
    ['topic', undefined, 'a:b,c:d', 'plan.rename', new Map(Object.entries({ a: 'b', c: 'd' }))],
    ['topics-regex', undefined, '.*', 'plan.topics', [/.*/su]],
    ['dry-run', undefined, 'true', 'plan.dryRun', true],
    ['restoration-point', undefined, '1659371338', 'plan.at', 1_659_371_338 * seconds],
    ['ignore-partitions', undefined, 'true', 'plan.partitionMap', 'modulo'],
    ['ignore-errors', undefined, 'true', 'plan.ignoreErrors', true],
  ],
  'groups-backup': [
    ['consumer.group.exclude', undefined, 'a.b,c', 'groupsBackup.excludeGroups', [/^(?:a\.b)$/su, /^(?:c)$/su]],
  ],
  'list-topics': [['details', undefined, 'true', 'topics.details', true]],
  'reset-cursor': [['confirm', undefined, 'true', 'reset.confirm', true]],
}

for (const [command, rows] of [...Object.entries(dataKeep), ...Object.entries(others)]) {
  for (const [flag, variable, text, where, value] of rows) {
    test(`${command}: -${flag} ${text} is ${where}, with one dash or two${variable === undefined ? '' : `, and as ${variable}`}`, async () => {
      for (const dashes of ['-', '--']) {
        assert.deepEqual(await read([command, `${dashes}${flag}`, text], {}, where), value, `${dashes}${flag} ${text}`)
        assert.deepEqual(
          await read([command, `${dashes}${flag}=${text}`], {}, where),
          value,
          `${dashes}${flag}=${text}`,
        )
      }
      if (variable !== undefined) assert.deepEqual(await read([command], { [variable]: text }, where), value, variable)
    })
  }
}

test('S3_BUCKET and S3_PREFIX are one storage URL, and so are the bucket and the folder of -s3-location', async () => {
  const both = { S3_BUCKET: 'backups', S3_PREFIX: '/msk-backup/' }
  assert.deepEqual(await read(['topics-backup'], both, 'storage.storage'), s3('backups', 'msk-backup'))
  const location = ['consumer-groups-backup', '-s3-bucket=bucket', '-s3-location=backups/groups/offsets.avro']
  assert.deepEqual(await read(location, {}, 'storage.storage'), s3('bucket', 'backups/groups'))
  assert.deepEqual(await read([...location, '-s3-prefix=p'], {}, 'storage.storage'), s3('bucket', 'p'))
  assert.deepEqual(
    await read(['plan', '-s3-bucket=bucket', '-s3-location=offsets.avro'], {}, 'storage.storage'),
    s3('bucket'),
  )
})

test('a flag counts before a variable, whether it names the storage whole or in parts; two flags are refused', async () => {
  const parts = ['backup', '--s3-bucket=bucket']
  assert.deepEqual(await read(parts, { STORAGE: 's3://other' }, 'storage.storage'), s3('bucket'))
  assert.deepEqual(
    await read(['backup', '--storage=s3://bucket'], { S3_BUCKET: 'other' }, 'storage.storage'),
    s3('bucket'),
  )
  assert.deepEqual(
    await read(['backup'], { STORAGE: 's3://bucket', S3_BUCKET: 'other' }, 'storage.storage'),
    s3('bucket'),
  )
  const message = '--storage and --s3-bucket mean the same; give one of them'
  await assert.rejects(read([...parts, '--storage=s3://bucket'], {}, 'storage.storage'), { code: 'USAGE', message })
  await assert.rejects(read(['backup', '--s3-prefix=p'], {}, 'storage.storage'), { message: '--storage is missing' })
  await assert.rejects(read(['backup', '--s3-bucket=bucket', '--s3-prefix=a//b'], {}, 'storage.storage'), {
    code: 'USAGE',
    message: /^--s3-bucket: 'a\/\/b' is no prefix/,
  })
})

test('a directory with a region is a bucket to kafka-backup and a folder here: it is refused, and nothing is written', async () => {
  for (const flag of ['--s3-region=eu-west-1', '--s3-endpoint=http://127.0.0.1:9']) {
    const line = ['backup-info', '--directory=data', flag]
    const [name] = flag.split('=')
    await assert.rejects(read(line, {}, 'storage.storage'), {
      code: 'USAGE',
      message: `--directory is a folder of this host, and ${name} speaks of a bucket`,
      hint: `if data is a bucket, write --storage s3://data; if it is a folder, leave ${name} out`,
    })
  }
  const inTheAir = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }
  const folder = { kind: 'directory', folder: 'data' }
  assert.deepEqual(await read(['backup-info', '--directory=data'], inTheAir, 'storage.storage'), folder)
  assert.deepEqual(await read(['ls', '--storage=data', '--s3-region=eu-west-1'], {}, 'storage.storage'), folder)
})

for (const [text, hint] of [
  ['a:b', 'to restore a as b: --topics a --rename a=b'],
  ['orders/orders.new', 'to restore orders as orders.new: --topics orders --rename orders=orders.new'],
  [String.raw`a\.b:c\.d`, String.raw`to restore a.b as c.d: --topics a\.b --rename a.b=c.d`],
] as const)
  test(`plan --topics ${text} asks for a new name where a regex stands: it is refused with the flag that is meant`, async () => {
    const message = `--topics: '${text}' matches no topic: no name has a colon or a slash in it`
    await assert.rejects(read(['plan', `--topics=${text}`], {}, 'plan.topics'), { code: 'USAGE', message, hint })
  })

test('kafka-backup begins again with reset-cursor, and nobody is led to names of other programs', async () => {
  assert.deepEqual(inOurWords(['reset-cursor', '--confirm']), ['reset', '--to', 'beginning', '--confirm'])
  assert.deepEqual(inOurWords([]), ['--help'])
  assert.deepEqual(inOurWords(['constructor']), ['constructor'])
  await assert.rejects(read(['backup', '--restore-topics-rege=x'], {}, 'backup.topics'), { hint: 'see --help' })
})

for (const [line, hint] of [
  ['backup --encryption-key 0123456789abcdefghijklmnopqrstuv', /--encrypt-to .* docs\/encryption\.md$/],
  ['plan --encryption-key=0123456789abcdefghijklmnopqrstuv', /^--identity .* docs\/encryption\.md$/],
  ['backup --continuous --point-in-time-interval 3600', /^maxbrod groups-backup --interval /],
  ['plan --restore-offsets', /^maxbrod groups-restore --execute /],
  ['restore --topics-regex .* --restore-offsets', /^it belongs to maxbrod plan/],
  ['restore --restoration-point 1659371338', /^it belongs to maxbrod plan/],
  ['restore --create-topics', /^it is a flag of maxbrod plan$/],
  ['backup-info --swift-region GRA', /S3Proxy: --s3-endpoint .* docs\/stores\.md$/],
  ['config show backup --compression gzip', /--compression-level/],
  ['backup --compacted.log.backup.length.hours 1', /maxbrod compact/],
  ['finalize --topics x', /^it is a flag of maxbrod backup, plan, check, …$/],
  ['backup --topcs x', /^did you mean --topics\?$/],
] as const) {
  test(`what takes the place of an unknown flag is said: ${line}`, async () => {
    const { exit, stdout, json } = await runCommand(line.split(' '))
    const { error } = json as { error: { code: string; message: string; hint: string } }
    assert.deepEqual([exit, error.code], [2, 'USAGE'])
    assert.match(error.hint, hint)
    assert.doesNotMatch(stdout, /0123456789/)
  })
}

test('flags that are refused by name are none of ours, and commands that their hints name have the flags that they name', async () => {
  const commands = await allCommands(commandTable)
  const flagsOf = (name: string) =>
    declaredOptions([...(commands.find(one => one.name === name)?.sections ?? []), ...commonSections]).flatMap(
      ({ flags }) => flags.map(flag => flag.name),
    )
  for (const { flags, of = commands.map(({ name }) => name), instead } of otherFlags) {
    for (const name of of) for (const flag of flags) assert.ok(!flagsOf(name).includes(flag), `${name} has --${flag}`)
    for (const [, name = '', flag = ''] of instead.matchAll(/maxbrod ([a-z-]+) --([a-z-]+)/g))
      assert.ok(flagsOf(name).includes(flag), `${name} --${flag}`)
  }
})

/** The value that the code behind a command line gets. */
async function read(words: readonly string[], env: Readonly<Record<string, string>>, where: string): Promise<unknown> {
  const [name, ...argv] = inOurWords(words)
  const command = await findCommand(commandTable, name)
  const sections = [...command.sections, ...commonSections]
  const storage: Record<string, string> = where === 'storage.storage' ? {} : { STORAGE: 'file:///x' }
  const { values } = parse(sections, { argv, env: { ...storage, ...env }, readFile: () => '' })
  const [section = '', key = ''] = where.split('.')
  return (values as Record<string, Record<string, unknown>>)[section]?.[key]
}
