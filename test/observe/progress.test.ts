import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskState } from '../../src/observe/bar.ts'
import { bar, etaMs } from '../../src/observe/bar.ts'
import type { LogFacts, Logger } from '../../src/observe/logger.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { Meter } from '../../src/observe/meter.ts'
import { progressBars } from '../../src/observe/progress-bars.ts'
import { progressLines } from '../../src/observe/progress-lines.ts'
import { Screen } from '../../src/observe/screen.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const half: TaskState = {
  label: 'orders',
  unit: 'records',
  done: 5_000_000,
  total: 10_000_000,
  perSecond: 250_000,
  elapsedMs: 20_000,
}
const layout = { columns: 120, labelColumns: 8, isColored: false }

test('a bar shows share, amounts, rate and the time left', () => {
  assert.equal(bar(half, layout), 'orders    ██████████░░░░░░░░░░   50%  5.00M of 10.0M records  250k/s  eta 20s')
})

test('a bar of bytes counts in bytes', () => {
  const bytes: TaskState = { ...half, unit: 'bytes', done: 2 ** 20, total: 2 ** 30, perSecond: 2 ** 20 }
  assert.equal(bar(bytes, layout), 'orders    ░░░░░░░░░░░░░░░░░░░░    0%  1.00 MiB of 1.00 GiB  1.00 MiB/s  eta 17m03s')
})

test('a finished bar shows how long it took, one without a total only what was done', () => {
  assert.match(bar({ ...half, done: 10_000_000 }, layout), /█{20}  100% .* in 20s$/)
  assert.equal(bar({ ...half, total: undefined }, layout), 'orders    5.00M records  250k/s')
  assert.match(bar({ ...half, done: 11_000_000 }, layout), /100%/)
  assert.match(bar({ ...half, done: 0, total: 0 }, layout), /0 of 0 records/)
})

test('a bar is narrower than the terminal, and coloured on request only', () => {
  assert.equal(bar(half, { ...layout, columns: 20 }), 'orders    █████████')
  assert.match(visible(bar(half, { ...layout, isColored: true })), /␛\[32m█{10}␛\[39m░/)
})

test('nobody knows when it ends while nothing moves', () => {
  assert.equal(etaMs({ ...half, perSecond: 0 }), undefined)
  assert.equal(etaMs({ ...half, total: undefined }), undefined)
  assert.equal(etaMs({ ...half, perSecond: 0, done: half.total ?? 0 }), 0)
})

test('the rate is that of the last ten seconds', () => {
  const meter = new Meter(0, 1_000)
  assert.equal(meter.perSecond(0, 1_000), 0)
  // 100 a second for a minute, then nothing any more.
  for (let second = 1; second <= 60; second++) {
    assert.equal(meter.perSecond(second * 1_000, 1_000 + second * 100), 100)
  }
  const rates = [61, 65, 69, 70, 71].map(second => meter.perSecond(second * 1_000, 7_000))
  assert.deepEqual(rates.map(Math.round), [90, 50, 10, 0, 0])
})

function terminal() {
  const clock = new ManualClock()
  const writes: string[] = []
  const screen = new Screen(text => void writes.push(visible(text)))
  const print = (line: string) => screen.above(() => void writes.push(line))
  const bars = progressBars({ clock, screen, print, columns: () => 100, isColored: false })
  return { clock, writes, screen, print, bars }
}

test('bars are painted ten times a second at most, each time over the last ones', () => {
  const { clock, writes, bars } = terminal()
  const task = bars.task('orders', { unit: 'records', total: 100 })
  for (let step = 0; step < 100; step++) {
    task.add(1)
    clock.advance(10)
  }
  assert.equal(writes.length, 10)
  assert.match(writes[0] ?? '', /^orders .* 10 of 100 records .*\n$/)
  assert.match(writes[9] ?? '', /^␛\[1A␛\[Jorders .* 100% .*\n$/)
})

test('a task that ends leaves its last line, and the log stands above the bars', () => {
  const { clock, writes, bars, print } = terminal()
  const orders = bars.task('orders', { unit: 'records', total: 2 })
  bars.task('payments', { unit: 'records', total: 2 })
  clock.advance(100)
  print('a log line\n')
  orders.add(2)
  orders[Symbol.dispose]()
  clock.advance(100)
  bars[Symbol.dispose]()
  assert.deepEqual(
    linesLeft(writes).map(line => line.slice(0, 10)),
    ['a log line', 'orders  ██'],
  )
})

test('a task that is disposed of twice ends once', () => {
  const { writes, bars } = terminal()
  const task = bars.task('orders', { unit: 'records', total: 2 })
  task[Symbol.dispose]()
  task[Symbol.dispose]()
  assert.equal(writes.length, 1)
})

test('more than ten bars are counted instead of shown', () => {
  const { clock, writes, bars } = terminal()
  for (let n = 0; n < 13; n++) bars.task(`t${n}`, { unit: 'files', total: 1 })
  clock.advance(100)
  const lines = (writes[0] ?? '').trimEnd().split('\n')
  assert.deepEqual([lines.length, lines.at(-1)], [11, '… and 3 more'])
})

test('without a terminal, progress is a line in the log every half a minute, and one at the end', () => {
  const clock = new ManualClock()
  const events: unknown[] = []
  const logger: Logger = {
    ...silentLogger,
    info: (facts: LogFacts | string, message?: string) => void events.push([message, facts]),
  }
  using progress = progressLines(clock, logger)
  const task = progress.task('orders', { unit: 'records', total: 1_000, done: 400 })
  clock.advance(20_000)
  task.add(100)
  clock.advance(9_999)
  assert.deepEqual(events, [])
  clock.advance(1)
  task.add(500)
  task.setTotal(1_000)
  clock.advance(10_000)
  task[Symbol.dispose]()
  clock.advance(60_000)
  assert.deepEqual(events, [
    ['progress', { task: 'orders', unit: 'records', done: 500, total: 1_000, perSecond: 3, etaSeconds: 150 }],
    ['progress: ended', { task: 'orders', unit: 'records', done: 1_000, total: 1_000, perSecond: 15, seconds: 40 }],
  ])
})

/** Escape characters as something to be read. */
function visible(text: string): string {
  return text.replaceAll('\u001B', '␛')
}

/** What a terminal shows after these writes: plays "up n lines and clear". */
function linesLeft(writes: readonly string[]): string[] {
  const lines: string[] = []
  for (const write of writes) {
    const [, up = '0', text = write] = /^␛\[(\d+)A␛\[J(.*)$/s.exec(write) ?? []
    lines.length -= Number(up)
    lines.push(...text.split('\n').slice(0, -1))
  }
  return lines
}
