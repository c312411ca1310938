import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupRun, begun, owners } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import type { RunningCommand } from '../helpers/in-process.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { openWorld } from '../helpers/world.ts'

const names = ['a', 'b', 'c'] as const
type Name = (typeof names)[number]

test('three workers restarted one by one keep their partitions, and then find a new topic and new partitions of an old one', async t => {
  await using world = await openWorld(t)
  const suffix = world.name('x')
  const [old, later] = [`orders-${suffix}`, `later-${suffix}`]
  await world.referee.createTopic(old, { partitions: 6 })
  await world.referee.generate(old, { partitions: 6, records: 3_000 })
  const backup = new BackupRun({ world, topics: [`(orders|later)-${suffix}`] })
  // A session that outlasts a restart on the busiest machine.
  const flags = ['--max-file-age=200ms', '--metadata-max-age=500ms', '--session-timeout=60s']

  const workers = new Map<Name, RunningCommand>()
  const ended: string[] = []
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => {
    for (const worker of workers.values()) worker.signal('SIGTERM')
    for (const { result } of workers.values()) await result
  })
  const outputs = () => new Map(names.map(name => [name, workers.get(name)!.output()]))
  const countOf = (name: Name) => begun(outputs().get(name)!).length

  for (const name of names) workers.set(name, backup.start(name, flags))
  const isSpread = () => {
    const owned = [...owners(outputs()).values()]
    return names.every(name => owned.filter(owner => owner === name).length === 2)
  }
  await eventually('each worker has two partitions', isSpread)
  await backup.reachesEnds(old)

  for (const name of names) {
    const before = owners(outputs())
    const others = names.filter(other => other !== name)
    const othersBegun = others.map(countOf)
    workers.get(name)!.signal('SIGTERM')
    const { exit, stderr } = await workers.get(name)!.result
    assert.equal(exit, 0)
    ended.push(stderr)
    await world.referee.generate(old, { partitions: 6, records: 600, seed: 2 })
    workers.set(name, backup.start(name, flags))
    await backup.reachesEnds(old)
    assert.equal(countOf(name), 2, `${name} has begun with what it had`)
    assert.deepEqual(owners(outputs()), before)
    assert.deepEqual(others.map(countOf), othersBegun, 'nobody else began with anything')
    // Whoever had a partition before it came to this worker may have uploaded the last file of it.
    assertSequel(outputs().get(name)!, [...ended, ...others.map(other => outputs().get(other)!)])
  }

  const before = new Map(names.map(name => [name, countOf(name)]))
  await world.referee.createTopic(later, { partitions: 3 })
  await world.referee.addPartitions(old, 9)
  await world.referee.generate(later, { partitions: 3, records: 300 })
  await world.referee.generate(old, { partitions: 9, records: 900, seed: 3 })
  await backup.reachesEnds(later)
  await backup.reachesEnds(old)
  const news = names.flatMap(name => begun(outputs().get(name)!).slice(before.get(name)))
  assert.deepEqual(
    news.map(({ partition }) => partition).sort(),
    [0, 1, 2].flatMap(n => [`${later}-${n}`, `${old}-${n + 6}`]).sort(),
    'only new partitions were begun with, each once',
  )

  await backup.assertSame(old)
  await backup.assertSame(later)
  for (const text of [...ended, ...outputs().values()]) assertNoAlarm(text)
})

/** Each partition goes on where the last file of it ended: what was read and not uploaded is read again, and no more. */
function assertSequel(output: string, earlier: readonly string[]): void {
  const uploaded = earlier.flatMap(text => logged(text, 'uploaded'))
  for (const { partition, position } of begun(output)) {
    const ends = uploaded
      .filter(file => `${file['topic'] as string}-${file['partition'] as number}` === partition)
      .map(file => file['to'] as number)
    assert.ok(ends.includes(position), `${partition} begins at ${position}, and its files ended at ${ends.join()}`)
    assert.equal(position, Math.max(...ends))
  }
}
