import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerContext } from '../../src/backup/deps.ts'
import { SelectionWatch } from '../../src/backup/topics/selection-watch.ts'
import { watchSelection } from '../../src/backup/upkeep.ts'
import type { GroupSession } from '../../src/kafka/port/membership.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { eventually } from '../helpers/eventually.ts'
import { logToRead } from '../helpers/log-lines.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const other = { sinceMs: 1_000, leader: 'worker-a-1', topics: ['orders', 'users'], count: 2 }

function openScene() {
  const { log, lines } = logToRead()
  const metrics = new Metrics()
  const watch = new SelectionWatch({ group: 'maxbrod', log, metrics, patienceMs: 90_000 })
  const gauge = async () => /^maxbrod_backup_unshared_topics (\d+)$/m.exec(await metrics.text())?.[1]
  return { watch, lines, gauge }
}

test('topics that the leader of the group does not select are warned of by name, once for each change, and counted', async () => {
  const { watch, lines, gauge } = openScene()
  watch.look(undefined, 0)
  watch.look(other, 90_999)
  assert.deepEqual([lines(), await gauge()], [[], '0'])
  for (const nowMs of [91_000, 92_000]) watch.look(other, nowMs)
  const [warning, ...more] = lines()
  assert.deepEqual(more, [])
  assert.deepEqual(
    [warning!.level, warning!['group'], warning!['leader'], warning!['topics'], await gauge()],
    ['warn', 'maxbrod', 'worker-a-1', ['orders', 'users'], '2'],
  )
  assert.match(warning!.message, /^2 topics .* backed up by nobody .* leader worker-a-1 /)
  assert.match(String(warning!['hint']), /--group-id/)

  watch.look({ ...other, leader: 'worker-b-1' }, 93_000)
  watch.look({ ...other, topics: ['orders'], count: 1 }, 94_000)
  watch.look({ ...other, count: 30 }, 95_000)
  assert.deepEqual(
    lines().map(line => [line['leader'], line['topics'], line['more']]),
    [
      ['worker-a-1', ['orders', 'users'], undefined],
      ['worker-b-1', ['orders', 'users'], undefined],
      ['worker-a-1', ['orders'], undefined],
      ['worker-a-1', ['orders', 'users'], 28],
    ],
  )
  assert.equal(await gauge(), '30')
})

test('when the group shares them out again that is said, and a new time of it is told anew', async () => {
  const { watch, lines, gauge } = openScene()
  watch.look(other, 91_000)
  watch.look(undefined, 92_000)
  watch.look(undefined, 93_000)
  assert.deepEqual(
    lines().map(({ level }) => level),
    ['warn', 'info'],
  )
  assert.equal(await gauge(), '0')
  watch.look({ ...other, sinceMs: 93_000 }, 94_000)
  watch.look({ ...other, sinceMs: 93_000 }, 183_000)
  assert.deepEqual(
    lines().map(({ level }) => level),
    ['warn', 'info', 'warn'],
  )
})

test('a leader that selects more than this worker is none: all is backed up', async () => {
  const { watch, lines, gauge } = openScene()
  watch.look({ ...other, topics: [], count: 0 }, 91_000)
  assert.deepEqual([lines(), await gauge()], [[], '0'])
})

test('a worker looks as long as it is a member, and ends when it is asked to', async () => {
  const { log, lines } = logToRead()
  const clock = new ManualClock()
  const session = { otherSelection: { ...other, sinceMs: clock.monotonic() } } as unknown as GroupSession
  const context = { log, clock, metrics: new Metrics(), groupId: 'maxbrod' } as unknown as WorkerContext
  const ending = new AbortController()
  const watching = watchSelection(context, Promise.resolve(session), 5_000, ending.signal)
  await eventually('it is told', () => {
    clock.advance(1_000)
    return lines().length > 0
  })
  assert.equal(lines()[0]!.level, 'warn')
  ending.abort()
  await watching
})
