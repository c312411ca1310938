import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { runCommand, runOnTerminal } from '../helpers/in-process.ts'
import { logged } from '../helpers/log-lines.ts'
import { openWorld } from '../helpers/world.ts'
import { root } from '../runner/files.ts'

/** All that takes long, in an order in which each finds something to do; what its bars are called, and its result begins with. */
async function openDay(t: TestContext) {
  const world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic)
  await world.referee.generate(topic, { partitions: 1, records: 500 })
  const group = world.name('shop')
  await world.referee.commitOffsets(group, [{ topic, partition: 0, offset: 100 }])
  const storage = [`--storage=file://${world.folder}/backup`]
  const kafka = [...storage, `--bootstrap-server=${world.bootstrap}`]
  const plan = [`--plan-topic=${world.name('plan')}`]
  const own = [`--topics=${topic}`, `--group-id=${world.name('backup')}`, `--working-dir=${world.folder}/work`]
  const groups = [`--groups=${group}`]
  const quiet = ['--metrics-port=0']
  const days = [
    { argv: ['backup', '--once', '--flush-port=0', ...own, ...quiet, ...kafka], bar: topic, unit: 'records' },
    { argv: ['groups-backup', '--once', ...groups, ...quiet, ...kafka], bar: undefined },
    { argv: ['coverage', ...storage], bar: 'reading headers', unit: 'files' },
    { argv: ['verify', ...storage], bar: 'verifying', unit: 'of' },
    { argv: ['drill', `--topics=${topic}`, ...kafka], bar: 'comparing', unit: 'records' },
    { argv: ['compact', `--topics=${topic}`, ...storage], bar: 'compacting', unit: 'of' },
    {
      argv: ['plan', '--target-prefix=back.', '--create-topics', ...plan, ...kafka],
      bar: 'reading headers',
      unit: 'files',
    },
    { argv: ['restore', '--exit-when-done', ...plan, ...quiet, ...kafka], bar: `back.${topic}`, unit: 'records' },
    {
      argv: ['groups-restore', '--group-prefix=back.', ...groups, ...plan, ...quiet, ...kafka],
      bar: 'groups',
      unit: 'offsets',
    },
    { argv: ['prune', '--keep=1d', ...storage], bar: 'looking for old files', unit: 'files' },
  ] as const
  return { days, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

/** Escapes that a regex may name. */
const visible = (text: string) => text.replaceAll('\u001B', '␛')

/** What is left on a screen: every picture of bars is wiped by the next one. */
function lastScreen(written: string): string {
  const lines: string[] = []
  for (const [, up, text] of written.matchAll(/(?:␛\[(\d+)A␛\[J)|([^␛]*\n?)/g)) {
    if (up !== undefined) lines.splice(Math.max(0, lines.length - Number(up)))
    else if (text !== undefined && text !== '') lines.push(...text.split(/(?<=\n)/))
  }
  return lines.join('')
}

test('on a terminal every long command shows bars, wipes them, and leaves standard output to its result', async t => {
  await using day = await openDay(t)
  for (const { argv, bar, ...more } of day.days) {
    const { exit, ...out } = await runOnTerminal(argv, { NO_COLOR: '1' })
    const [stdout, stderr] = [visible(out.stdout), visible(out.stderr)]
    const said = `${argv[0]}: ${stderr}`
    assert.equal(exit, 0, said)
    assert.notEqual(stdout, '', said)
    assert.doesNotMatch(stdout, /␛|\d\/s  in /, said)
    assert.doesNotMatch(stderr, /␛\[\d+m/, said)
    if (bar === undefined) continue
    // The one that stays is full, with its rate and the time that it took.
    const unit = 'unit' in more ? more.unit : ''
    const lines = lastScreen(stderr)
      .split('\n')
      .filter(line => line.match(/^(.*?) +█/)?.[1] === bar)
    assert.equal(lines.length, 1, said)
    assert.match(lines[0]!, new RegExp(`█{20}  100%  .*${unit}.*/s  in \\d`), said)
  }
})

test('off a terminal every long command logs its progress, without a bar, and standard output is its document alone', async t => {
  await using day = await openDay(t)
  for (const { argv, bar } of day.days) {
    const { exit, stdout, stderr, json } = await runCommand(argv)
    assert.equal(exit, 0, stderr)
    assert.equal(json['command'], argv[0])
    assert.doesNotMatch(visible(stdout + stderr), /␛|\d\/s  in /)
    if (bar === undefined) continue
    const [last] = logged(stderr, 'progress: ended').filter(({ task }) => task === bar)
    assert.ok(last !== undefined && last['done'] === last['total'] && Number(last['perSecond']) >= 0, stderr)
  }
})

const script = '/usr/bin/script'

test(
  'in a real terminal there are colours and bars as wide as it is, and a file takes the result alone',
  { skip: existsSync(script) ? false : 'script (Debian: bsdutils) is not there' },
  async t => {
    await using world = await openWorld(t)
    const topic = world.name('orders')
    await world.referee.createTopic(topic)
    await world.referee.generate(topic, { partitions: 1, records: 100 })
    const storage = `--storage=file://${world.folder}/backup`
    const own = [`--topics=${topic}`, `--working-dir=${world.folder}/work`, '--flush-port=0', '--metrics-port=0']
    const backup = ['backup', '--once', ...own, storage, `--bootstrap-server=${world.bootstrap}`]
    assert.equal((await runCommand(backup)).exit, 0)
    const result = join(world.folder, 'result')
    const look = (env: Record<string, string>) => {
      const line = `stty cols 44; bin/maxbrod verify ${storage} > ${result}`
      const { status, stdout, stderr } = spawnSync(script, ['-qec', line, '/dev/null'], {
        cwd: root,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'xterm', ...env },
      })
      assert.equal(status, 0, stdout + stderr)
      assert.doesNotMatch(visible(readFileSync(result, 'utf8')), /[█░␛]/)
      assert.match(readFileSync(result, 'utf8'), /nothing is wrong\n$/)
      return visible(stdout)
    }
    const coloured = look({})
    assert.match(coloured, /verifying +␛\[32m█{20}␛\[39m/)
    const plain = look({ NO_COLOR: '1' })
    assert.doesNotMatch(plain, /␛\[\d+m/)
    const bars = plain.split(/\r?\n/).filter(line => line.includes('█'))
    assert.ok(bars.length > 0 && bars.every(line => line.replace(/␛\[\d*[A-Z]/g, '').length < 44), plain)
  },
)
