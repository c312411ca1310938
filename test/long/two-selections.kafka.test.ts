import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { logLines } from '../helpers/log-lines.ts'
import { openWorld } from '../helpers/world.ts'

test('of two workers of a group that select different topics, the one that does not lead warns of what nobody backs up', async t => {
  await using world = await openWorld(t)
  const [orders, users, group] = [world.name('orders'), world.name('users'), world.name('group')]
  for (const topic of [orders, users]) await world.referee.createTopic(topic, { partitions: 1 })
  const start = (name: string, topic: string) => {
    const kafka = ['--bootstrap-server', world.bootstrap, '--group-id', group, '--session-timeout', '6s']
    const own = ['--working-dir', `${world.folder}/${name}`, '--worker-name', name, '--flush-port', '0']
    const store = ['--storage', `file://${world.folder}/store`, '--log-format', 'json']
    return new Cli(['backup', '--topics', topic, ...kafka, ...own, ...store])
  }
  const workers = [start('one', orders), start('two', users)]
  const warned = () =>
    workers.flatMap(({ output }, n) =>
      logLines(output)
        .filter(({ message }) => message.includes('backed up by nobody'))
        .map(line => ({ n, line })),
    )
  try {
    await eventually('one of them warns', () => warned().length > 0, { timeoutMs: 120_000 })
    const [{ n, line }] = warned() as [ReturnType<typeof warned>[number]]
    assert.deepEqual([line.level, line['group'], line['topics']], ['warn', group, [n === 0 ? orders : users]])
    assert.match(String(line['leader']), n === 0 ? /^two-/ : /^one-/)
  } finally {
    for (const worker of workers) worker.process.kill('SIGTERM')
  }
  for (const worker of workers) assert.equal((await worker.result).exit, 0)
})
