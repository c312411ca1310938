import assert from 'node:assert/strict'
import { test } from 'node:test'
import { join } from 'node:path'
import { allCommands, commandTable, helpers } from '../src/commands/command-table.ts'
import { eventually } from './helpers/eventually.ts'
import { freePorts } from './helpers/ports.ts'
import { Cli, runCli } from './helpers/cli.ts'
import { root } from './runner/files.ts'

const signalCli = join(root, 'test/commands/signal-cli.ts')

test('without a command, the commands are listed', async () => {
  const { exit, stdout, stderr } = await runCli([])
  const listed = [
    ...(await allCommands(commandTable)).map(({ name, summary }) => [name, summary]),
    ...Object.entries(helpers),
  ]
  const rows = listed.map(([name = '', summary = '']) => `  ${name.padEnd(14)}  ${summary}`)
  assert.equal(
    stdout,
    `Backup and restore for Apache Kafka: topics and consumer-group offsets to object storage and back.

Usage: maxbrod <command> [flags]

Commands
${rows.join('\n')}

maxbrod <command> --help shows the flags. Manual: README.md and docs/
`,
  )
  for (const name of ['backup', 'plan', 'restore', 'groups-backup', 'status', 'config show', 'completion'])
    assert.match(stdout, new RegExp(`^  ${name}  `, 'm'))
  assert.deepEqual([exit, stderr], [0, ''])
  for (const argv of [['--help'], ['-h'], ['help']]) assert.deepEqual(await runCli(argv), { exit, stdout, stderr })
})

test('--version says what runs on what', async () => {
  const { exit, stdout, stderr } = await runCli(['--version'])
  assert.match(stdout, /^maxbrod \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)\n$/)
  assert.deepEqual([exit, stderr], [0, ''])
  assert.equal((await runCli(['version'])).stdout, stdout)
})

test('the help of a command goes to standard output, whatever else is on the line', async () => {
  const { exit, stdout, stderr } = await runCli(['plan', '--nonsense', '--help'])
  assert.match(stdout, /^maxbrod plan: .*\n\nUsage: maxbrod plan/)
  assert.deepEqual([exit, stderr], [0, ''])
  assert.doesNotMatch(stdout, /--partition-map/)
  assert.match((await runCli(['plan', '--help-all'])).stdout, /--partition-map/)
  assert.equal((await runCli(['help', 'plan'])).stdout, stdout)
})

for (const [argv, line] of [
  [['bakup'], "maxbrod: USAGE: unknown command 'bakup' · did you mean maxbrod backup?\n"],
  [['constructor'], "maxbrod: USAGE: unknown command 'constructor' · maxbrod --help lists them\n"],
  [['--once', 'backup'], 'maxbrod: USAGE: --once stands before the command · write maxbrod <command> [flags]\n'],
  [['backup', '--topcs', 'x'], 'maxbrod: USAGE: unknown flag --topcs · did you mean --topics?\n'],
  [['backup', '--memory', 'much'], "maxbrod: USAGE: --memory: 'much' is not a size · write it like 5MiB\n"],
] as const) {
  test(`one sentence and exit 2: maxbrod ${argv.join(' ')}`, async () => {
    assert.deepEqual(await runCli(argv), { exit: 2, stdout: '', stderr: line })
  })
}

test('a variable that cannot be read is named', async () => {
  const { exit, stderr } = await runCli(['backup'], { env: { MEMORY: 'much' } })
  assert.deepEqual([exit, stderr], [2, "maxbrod: USAGE: MEMORY: 'much' is not a size · write it like 5MiB\n"])
})

for (const format of [['-o', 'json'], ['--output=JSON']]) {
  test(`with ${format.join(' ')} a failure is one JSON document, too`, async () => {
    const [port = 0] = await freePorts(1)
    const { exit, stdout } = await runCli(['flush', `--flush-port=${port}`, ...format])
    assert.equal(stdout.split('\n').length, 2)
    assert.deepEqual(JSON.parse(stdout), {
      command: 'flush',
      result: 'failed',
      error: {
        code: 'WORKER_UNREACHABLE',
        message: `no worker answers on 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
        hint: 'is maxbrod backup running on this host, with this --flush-port?',
        facts: { port },
        exit: 5,
      },
    })
    assert.equal(exit, 5)
  })
}

test('a wrong flag is a JSON document, too, for who asked for one', async () => {
  const { stdout } = await runCli(['flush', '--wiat', '-o', 'json'])
  assert.deepEqual(JSON.parse(stdout), {
    result: 'failed',
    error: {
      code: 'USAGE',
      message: 'unknown flag --wiat',
      hint: 'did you mean --wait?',
      facts: { flag: 'wiat' },
      exit: 2,
    },
  })
  assert.equal((await runCli(['flush', '--wiat'], { env: { OUTPUT: 'json' } })).stdout, stdout)
})

test('what went well, in part or badly is in document, text and exit code', async () => {
  const run = (...argv: string[]) => runCli(argv, { program: signalCli })
  assert.deepEqual(await run('partial'), { exit: 3, stdout: 'left orders-0\n', stderr: '' })
  assert.deepEqual(JSON.parse((await run('partial', '-o', 'json')).stdout), {
    command: 'partial',
    result: 'partial',
    left: ['orders-0'],
  })
  assert.deepEqual(await run('holes'), { exit: 4, stdout: 'a hole\n', stderr: '' })
})

for (const name of ['bug', 'crash']) {
  test(`a ${name} is reported with its stack, and as a document`, async () => {
    const { exit, stdout, stderr } = await runCli([name, '-o', 'json'], { program: signalCli })
    assert.equal(exit, 1)
    assert.match(stderr, /^maxbrod: this is a bug of maxbrod .*\nTypeError: .*\n {4}at /)
    assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'BUG')
  })
}

test('a secret is nowhere in what is printed', async () => {
  const env = { PASSWORD: 'canary-4815' }
  for (const argv of [['blabs'], ['blabs', '-o', 'json']]) {
    const { exit, stdout, stderr } = await runCli(argv, { program: signalCli, env })
    assert.equal(exit, 6)
    assert.doesNotMatch(stdout + stderr, /canary/)
    assert.match(stderr, /TARGET_SPOILED: refused \[secret\]\n$/)
  }
})

test('a test can put its own world under the commands', async () => {
  assert.equal((await runCli(['ports'], { program: signalCli })).stdout, 'wrapped\n')
})

test('what was left open does not keep the process, and is named', async () => {
  const { exit, stderr } = await runCli(['leak'], { program: signalCli })
  assert.equal(exit, 0)
  assert.match(stderr, /^maxbrod: something was left open: .*Timeout\n$/)
})

/** Starts a command that waits, sends it a signal and then, once that is in the log, the next one. */
async function signalled(name: string, signals: readonly NodeJS.Signals[], argv: readonly string[] = []) {
  const cli = new Cli([name, ...argv], { program: signalCli, env: { LOG_FORMAT: 'text' } })
  await eventually('the command waits', () => cli.output.includes('ready'))
  for (const [index, signal] of signals.entries()) {
    cli.process.kill(signal)
    await eventually('the signal is in the log', () => cli.output.split('signal=').length > index + 1)
  }
  return cli.result
}

test('a worker that is asked to stop drains and has done well; its log is its output', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { exit, stdout, stderr } = await signalled('worker', [signal])
    assert.deepEqual([exit, stderr], [0, ''])
    assert.match(stdout, new RegExp(`INFO  stopping: .* signal=${signal}\ndone 7\n$`))
  }
})

test('a worker that is to end with a document logs to standard error', async () => {
  const { exit, stdout, stderr } = await signalled('worker', ['SIGTERM'], ['-o', 'json'])
  assert.deepEqual([exit, JSON.parse(stdout)], [0, { command: 'worker', result: 'ok', done: 7 }])
  assert.match(stderr, /INFO  ready\n/)
})

test('a command that is interrupted before it is done says so with its exit code', async () => {
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    const { exit, stdout, stderr } = await signalled('once', [signal], ['-o', 'json'])
    assert.deepEqual(
      [exit, JSON.parse(stdout)],
      [code, { command: 'once', result: 'ok', interrupted: signal, done: 7 }],
    )
    assert.match(stderr, /signal=/)
  }
})

test('the second signal stops at once, workers too', async () => {
  for (const name of ['slow-worker', 'slow-once']) {
    const { exit } = await signalled(name, ['SIGTERM', 'SIGTERM'])
    assert.equal(exit, 143)
  }
})

test('SIGUSR1 is for whoever listens, and harmless otherwise', async () => {
  const heard = await signalled('flushes', ['SIGUSR1'])
  assert.equal(heard.exit, 0)
  assert.match(heard.stdout, /asked to flush signal=SIGUSR1\nflushed\n$/)
  const { exit, stdout } = await signalled('worker', ['SIGUSR1', 'SIGTERM'])
  assert.equal(exit, 0)
  assert.match(stdout, /nothing to flush here signal=SIGUSR1\n/)
})

test('off a terminal, logs are JSON', async () => {
  const cli = new Cli(['worker'], { program: signalCli })
  await eventually('the command waits', () => cli.output.includes('ready'))
  cli.process.kill('SIGTERM')
  const { stdout } = await cli.result
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .slice(0, -1)
      .map(line => (JSON.parse(line) as { message: string }).message.split(':')[0]),
    ['ready', 'stopping'],
  )
})
