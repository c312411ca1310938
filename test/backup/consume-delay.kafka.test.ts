import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newSettling } from '../../src/backup/settling.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { logged } from '../helpers/log-lines.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { readBackup } from '../helpers/stored-backup.ts'
import { openWorld } from '../helpers/world.ts'

test('within the delay nothing begins, then all that was assigned, and later assignments at once', async () => {
  const clock = new ManualClock()
  const begin = newSettling({ clock, log: silentLogger }, 10_000, new AbortController().signal)
  const done: string[] = []
  clock.advance(99_000)
  begin(() => done.push('first'))
  clock.advance(9_999)
  begin(() => done.push('second'))
  await turn()
  assert.equal(done.join(), '')
  clock.advance(1)
  await turn()
  assert.equal(done.join(), 'first,second')
  begin(() => done.push('third'))
  assert.equal(done.join(), 'first,second,third')
})

test('without a delay all begins at once, and after a stop nothing does', async () => {
  const clock = new ManualClock()
  const done: string[] = []
  newSettling({ clock, log: silentLogger }, 0, new AbortController().signal)(() => done.push('now'))
  assert.equal(done.join(), 'now')
  const control = new AbortController()
  newSettling({ clock, log: silentLogger }, 5, control.signal)(() => done.push('never'))
  control.abort()
  await turn()
  assert.equal(done.join(), 'now')
})

test('workers that wait read nothing of what they give up, stop at once, and back all up when their time has come', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 4 })
  await world.referee.generate(topic, { partitions: 4, records: 400 })
  const backup = new BackupRun({ world, topics: [topic] })
  const first = backup.start('first', ['--consume-delay=1h'])
  const joined = (output: string) => logged(output, 'joined the group').map(({ partitions }) => partitions)
  await eventually('the first has joined', () => joined(first.output()).includes(4))
  const second = backup.start('second', ['--consume-delay=1h'])
  await eventually('they share', () => joined(first.output()).at(-1) === 2 && joined(second.output()).at(-1) === 2)
  for (const worker of [first, second]) {
    worker.signal('SIGTERM')
    assert.equal((await worker.result).exit, 0)
    assert.deepEqual(begun(worker.output()), [])
  }
  assert.deepEqual(await readBackup(backup.store), [])
  const third = backup.start('first', ['--consume-delay=1s', '--max-file-age=200ms'])
  await backup.reachesEnds(topic)
  third.signal('SIGTERM')
  assert.equal((await third.result).exit, 0)
  await backup.assertSame(topic)
})

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
