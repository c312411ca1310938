import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { list, pairs, regexList } from '../../src/config/kinds-of-list.ts'
import { bytes, count, duration, port, rate } from '../../src/config/kinds-of-number.ts'
import { looseRegexes } from '../../src/config/kinds-of-others.ts'
import { choice, flag, path, secret, text, time, topicName } from '../../src/config/kinds-of-text.ts'
import { parse } from '../../src/config/parse.ts'
import { section } from '../../src/config/section.ts'

const backup = section('backup', {
  topics: regexList({
    default: ['.*'],
    foreign: [{ flag: 'topics-regex', env: 'KAFKA_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics.',
  }),
  minFileSize: bytes({ default: '5MiB', min: '64KiB', max: '1GiB', doc: 'Size.' }),
  maxFileAge: duration({ default: '5m', doc: 'Age.' }),
  maxRate: rate({ doc: 'Rate.' }),
  once: flag({ doc: 'Once.' }),
  wait: flag({ default: 'true', doc: 'Wait.' }),
  groupId: text({ env: ['KAFKA_GROUP_ID', 'OLD_GROUP'], doc: 'Group.' }),
  planTopic: topicName({ default: 'maxbrod.plan', doc: 'Plan topic.' }),
  brokers: list({ aliases: ['bootstrap-server'], default: ['localhost:9092'], doc: 'Brokers.' }),
  rename: pairs({ doc: 'Rename.' }),
  hold: choice(['auto', 'off'], { default: 'auto', doc: 'Hold.' }),
  metricsPort: port({ default: '8081', doc: 'Port.' }),
  parallel: count({ default: '4', min: '1', doc: 'Parallel.' }),
  until: time({ doc: 'Until.' }),
  workingDir: path({ doc: 'Folder.' }),
  output: choice(['table', 'json'], { aliases: ['o'], default: 'table', doc: 'Output.' }),
  saslPassword: secret({ env: ['KAFKA_PASSWORD'], doc: 'Password.' }),
})

function read(argv: readonly string[], env: Readonly<Record<string, string>> = {}, files: Record<string, string> = {}) {
  return parse([backup], {
    argv,
    env,
    readFile(name) {
      if (files[name] === undefined) throw new Error('ENOENT: no such file')
      return files[name]
    },
  })
}

test('without anything, every option has its default', () => {
  const { values, warnings, secrets } = read([])
  assert.deepEqual(values.backup, {
    topics: [/^(?:.*)$/su],
    minFileSize: 5 * 1024 * 1024,
    maxFileAge: 300_000,
    maxRate: undefined,
    once: false,
    wait: true,
    groupId: undefined,
    planTopic: 'maxbrod.plan',
    brokers: ['localhost:9092'],
    rename: new Map(),
    hold: 'auto',
    metricsPort: 8081,
    parallel: 4,
    until: undefined,
    workingDir: undefined,
    output: 'table',
    saslPassword: undefined,
  })
  assert.deepEqual([warnings, secrets], [[], []])
})

test('every kind of option reads its flag', () => {
  const line =
    '--topics a.* --topics=b{1,2} --min-file-size=1MiB --max-file-age 1h30m --max-rate 20MiB/s --once --no-wait ' +
    '--group-id g --plan-topic p --brokers a:1,b:2 --brokers c:3 --rename a=b --rename c=d=e --hold OFF ' +
    '--metrics-port 0 --parallel 8 --until 2026-11-21T12:00:00Z --working-dir ./x -o json'
  const { values } = read(line.split(' '))
  assert.deepEqual(values.backup, {
    topics: [/^(?:a.*)$/su, /^(?:b{1,2})$/su],
    minFileSize: 1024 * 1024,
    maxFileAge: 5_400_000,
    maxRate: 20 * 1024 * 1024,
    once: true,
    wait: false,
    groupId: 'g',
    planTopic: 'p',
    brokers: ['a:1', 'b:2', 'c:3'],
    rename: new Map([
      ['a', 'b'],
      ['c', 'd=e'],
    ]),
    hold: 'off',
    metricsPort: 0,
    parallel: 8,
    until: Date.UTC(2026, 10, 21, 12),
    workingDir: './x',
    output: 'json',
    saslPassword: undefined,
  })
})

test('a flag counts before a variable, a variable before the default, an empty variable not at all', () => {
  const env = { MIN_FILE_SIZE: '2MiB', MAX_FILE_AGE: '1m', PARALLEL: ' ', HOLD: '' }
  const { values, origins } = read(['--min-file-size', '3MiB'], env)
  assert.equal(values.backup.minFileSize, 3 * 1024 * 1024)
  assert.equal(values.backup.maxFileAge, 60_000)
  assert.equal(values.backup.parallel, 4)
  assert.deepEqual(origins.backup.minFileSize, { from: 'flag', name: '--min-file-size' })
  assert.deepEqual(origins.backup.maxFileAge, { from: 'variable', name: 'MAX_FILE_AGE' })
  assert.deepEqual([origins.backup.parallel, origins.backup.hold], [{ from: 'default' }, { from: 'default' }])
})

test('of several variables the first one counts, and the others are named in a warning', () => {
  const { values, origins, warnings } = read([], { OLD_GROUP: 'old', KAFKA_GROUP_ID: 'new' })
  assert.equal(values.backup.groupId, 'new')
  assert.deepEqual(origins.backup.groupId, { from: 'variable', name: 'KAFKA_GROUP_ID' })
  assert.deepEqual(warnings, ['OLD_GROUP is ignored because KAFKA_GROUP_ID is set, too'])
})

test('one dash is as good as two, and an alias as good as the name', () => {
  const { values, origins } = read(['-min-file-size', '1MiB', '-once', '--bootstrap-server=x:1'])
  assert.deepEqual([values.backup.minFileSize, values.backup.once, values.backup.brokers], [1024 * 1024, true, ['x:1']])
  assert.equal(origins.backup.brokers.name, '--bootstrap-server')
})

test('a switch takes a word, too, as flag and as variable', () => {
  for (const argv of [['--once=false'], ['--once', 'false'], ['--no-once']]) {
    assert.equal(read(argv, { ONCE: 'true' }).values.backup.once, false)
  }
  for (const word of ['true', 'YES', 'on', '1']) assert.equal(read([], { ONCE: word }).values.backup.once, true)
  for (const word of ['false', 'No', 'off', '0']) assert.equal(read([], { WAIT: word }).values.backup.wait, false)
})

test('in a variable, blanks separate expressions and pairs, and commas separate brokers', () => {
  const { values } = read([], { TOPICS: 'a{1,3}\n  b.*', RENAME: 'a=b c=d', BROKERS: 'x:1,y:2' })
  assert.deepEqual(values.backup.topics, [/^(?:a{1,3})$/su, /^(?:b.*)$/su])
  assert.deepEqual([...values.backup.rename.keys()], ['a', 'c'])
  assert.deepEqual(values.backup.brokers, ['x:1', 'y:2'])
})

test('names of kafka-data-keep are read in its way: commas separate, parts match', () => {
  assert.deepEqual(read([], { KAFKA_TOPICS_REGEX: 'a{1,3}, b' }).values.backup.topics, [/a{1,3}/su, /b/su])
  assert.deepEqual(read(['-topics-regex', 'a,b']).values.backup.topics, [/a/su, /b/su])
})

test('what the user may not have meant is a warning, with the name of the flag', () => {
  assert.deepEqual(read(['--topics', 'orders*']).warnings, [
    "--topics: 'orders*' means 'order' and then any number of 's'; if * stands for any text, write 'orders.*'",
  ])
})

test('a secret comes from a variable or a file, prints as nothing, and is told to those who redact', () => {
  const sources = [
    read([], { SASL_PASSWORD: 'canary' }),
    read([], { KAFKA_PASSWORD_FILE: '/run/p' }, { '/run/p': 'canary\n' }),
    read(['--sasl-password-file', '/run/p'], {}, { '/run/p': 'canary\r\n' }),
  ]
  for (const { values, secrets } of sources) {
    const { saslPassword } = values.backup
    assert.equal(saslPassword?.reveal(), 'canary')
    assert.deepEqual(secrets, ['canary'])
    assert.equal(`${String(saslPassword)} ${JSON.stringify(values)} ${inspect(values)}`.includes('canary'), false)
  }
})

test('the values cannot be changed', () => {
  const { values } = read([])
  assert.throws(() => Object.assign(values.backup, { once: true }), TypeError)
  assert.throws(() => Object.assign(values, { backup: {} }), TypeError)
})

const refusals: readonly (readonly [argv: string[], env: Record<string, string>, message: string, hint?: string])[] = [
  [['--topcs', 'x'], {}, 'unknown flag --topcs', 'did you mean --topics?'],
  [['-topcs', 'x'], {}, 'unknown flag -topcs', 'did you mean --topics?'],
  [['--topics-regx', 'x'], {}, 'unknown flag --topics-regx', 'see --help'],
  [['--constructor', 'x'], {}, 'unknown flag --constructor', 'see --help'],
  [['--__proto__=x'], {}, 'unknown flag --__proto__', 'see --help'],
  [['--no-topics'], {}, 'unknown flag --no-topics', 'did you mean --topics?'],
  [['---once'], {}, 'unknown flag ---once', 'did you mean --once?'],
  [['--0nce'], {}, 'unknown flag --0nce', 'did you mean --once?'],
  [
    ['--topics orders.*'],
    {},
    "'--topics orders.*' is one word, of flag and value",
    'write --topics=orders.*, or two words: in a manifest, two items of the list',
  ],
  [['--topcs orders.*', 'x'], {}, 'unknown flag --topcs orders.*', 'see --help'],
  [['--min-file-size'], {}, '--min-file-size needs a value'],
  [['--min-file-size='], {}, '--min-file-size needs a value'],
  [['--group-id', '--once'], {}, '--group-id needs a value'],
  [['--min-file-size', '5 apples'], {}, "--min-file-size: '5 apples' is not a size", 'write it like 5MiB'],
  [[], { MIN_FILE_SIZE: '5m' }, "MIN_FILE_SIZE: '5m' could mean powers of 1000 or of 1024", 'write 5MiB or 5MB'],
  [['--min-file-size', '1KiB'], {}, "--min-file-size: '1KiB' is too small", 'the smallest is 64KiB'],
  [['--min-file-size', '2GiB'], {}, "--min-file-size: '2GiB' is too large", 'the largest is 1GiB'],
  [['--parallel', '0'], {}, "--parallel: '0' is too small", 'the smallest is 1'],
  [['--parallel', '1.5'], {}, "--parallel: '1.5' is not a whole number"],
  [['--metrics-port', '65536'], {}, "--metrics-port: '65536' is too large", 'the largest is 65535'],
  [
    [],
    { METRICS_PORT: 'tcp://10.0.0.1:80' },
    "METRICS_PORT: 'tcp://10.0.0.1:80' is not a port",
    'Kubernetes sets it for a service of that name: give the pod enableServiceLinks: false',
  ],
  [['--hold', 'on'], {}, "--hold: 'on' is not one of auto, off"],
  [['--once=maybe'], {}, "--once: 'maybe' is neither true nor false"],
  [[], { ONCE: 'maybe' }, "ONCE: 'maybe' is neither true nor false"],
  [
    ['--plan-topic', 'a/b'],
    {},
    "--plan-topic: 'a/b' is not a topic name: up to 249 letters, digits, dots, dashes and underscores",
  ],
  [['--rename', 'a'], {}, "--rename: 'a' is not a pair", 'write it like from=to'],
  [['--rename', 'a=b', '--rename', 'a=c'], {}, "--rename: 'a' is given both as 'b' and as 'c'"],
  [['--topics', '*'], {}, "--topics: '*' is not a regular expression", "everything is '.*'"],
  [['--group-id', 'a', '--group-id', 'b'], {}, '--group-id is given more than once'],
  [
    ['--brokers', 'a', '--bootstrap-server', 'b'],
    {},
    '--brokers and --bootstrap-server mean the same; give one of them',
  ],
  [['--topics', 'a', 'b'], {}, "unexpected argument 'b'", 'flags begin with --; quote what the shell might expand'],
  [['--', '--once'], {}, "unexpected argument '--once'", 'flags begin with --; quote what the shell might expand'],
  [
    ['--sasl-password', 'x'],
    {},
    '--sasl-password does not exist: everybody on this host could read it',
    'set SASL_PASSWORD or --sasl-password-file',
  ],
  [[], { SASL_PASSWORD_FILE: '/none' }, 'SASL_PASSWORD_FILE: cannot read the file (ENOENT: no such file)'],
]

for (const [argv, env, message, hint] of refusals) {
  const given = [...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)].join(' ')
  test(`refused: ${given}`, () => {
    assert.throws(() => read(argv, env), { name: 'MaxbrodError', code: 'USAGE', message, hint })
  })
}

test('an empty file is no secret', () => {
  assert.throws(() => read([], { SASL_PASSWORD_FILE: '/empty' }, { '/empty': '\n' }), { message: /\/empty is empty/ })
})

test('an option that must be given is asked for with flag and variable', () => {
  const storage = section('storage', { storage: text({ isRequired: true, env: ['STORAGE_URL'], doc: 'Where.' }) })
  const input = { argv: [], env: {}, readFile: () => '' }
  assert.throws(() => parse([storage], input), {
    message: '--storage is missing',
    hint: /environment variable STORAGE/,
  })
  const url: string = parse([storage], { ...input, env: { STORAGE_URL: 'file:///x' } }).values.storage.storage
  assert.equal(url, 'file:///x')
})

test('two options of one name are a bug, and so is a default that cannot be read', () => {
  const other = section('other', { topics: text({ doc: 'Topics.' }) })
  assert.throws(
    () => parse([backup, other], { argv: [], env: {}, readFile: () => '' }),
    /two options are called topics/,
  )
  assert.throws(() => bytes({ default: '5 apples', doc: 'Size.' }), /not a size/)
})

const looking = section('look', {
  file: path({ isOperand: true, isRequired: true, doc: 'File.' }),
  all: flag({ doc: 'All.' }),
})
const lookAt = (...argv: string[]) => parse([looking], { argv, env: {}, readFile: () => '' }).values.look

test('an operand is the word without a flag, wherever it stands; its flag does the same', () => {
  for (const argv of [
    ['x', '--all'],
    ['--all', 'x'],
    ['--file', 'x', '--all'],
    ['--all', '--', 'x'],
  ])
    assert.deepEqual(lookAt(...argv), { file: 'x', all: true }, argv.join(' '))
  assert.equal(lookAt('--', '--all').file, '--all')
  assert.equal(lookAt('007').file, '007')
})

test('a second operand, or one beside its flag, is refused', () => {
  assert.throws(() => lookAt('x', 'y'), { code: 'USAGE', message: "unexpected argument 'y'" })
  assert.throws(() => lookAt('x', '--file=y'), { code: 'USAGE', message: '--file is given more than once' })
  assert.throws(() => lookAt(), { code: 'USAGE', message: '--file is missing' })
})
