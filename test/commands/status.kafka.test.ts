import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { openWorld } from '../helpers/world.ts'

test('status tells what is protected and what is restored, whoever runs, and waits for the end of a restore; topics tells what a backup takes', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  const [group, plan] = [world.name('group'), world.name('plan')]
  await world.referee.createTopic(topic, { partitions: 2, configs: { 'retention.ms': 3_600_000 } })
  await world.referee.generate(topic, { partitions: 2, records: 1_000, timestampFrom: Date.now() - 600_000 })
  const cluster = `--bootstrap-server=${world.bootstrap}`
  const storage = `--storage=file://${world.folder}/backup`
  const run = async (...argv: string[]) => {
    const { exit, json, stderr } = await runCommand([...argv, cluster])
    assert.equal(exit, 0, stderr)
    return json
  }
  const protection = () => run('status', `--topics=${topic}`, `--group-id=${group}`)

  const listing = await run('topics', `--topics=${topic}`, '--topics=__.*', '--details')
  const about = (listing['topics'] as { topic: string; backedUp: string }[]).filter(one => one.topic === topic)
  assert.deepEqual(
    about.map(({ backedUp }) => backedUp),
    ['yes'],
  )
  const ends = (listing['partitions'] as { topic: string; start: number; end: number }[]).filter(
    one => one.topic === topic,
  )
  assert.deepEqual([ends.length, ends.reduce((sum, { start, end }) => sum + end - start, 0)], [2, 1_000])

  const before = await protection()
  assert.equal(before['behind'], 1_000)
  const [first] = before['partitions'] as { behindSeconds: number; headroomSeconds: number; lost: number }[]
  assert.ok(first!.behindSeconds >= 600 && first!.headroomSeconds <= 3_000, JSON.stringify(first))
  assert.equal(first!.lost, 0)

  const worker = [`--group-id=${group}`, `--working-dir=${world.folder}/work`, '--metrics-port=0', storage]
  await run('backup', '--once', `--topics=${topic}`, ...worker)
  const after = await protection()
  assert.deepEqual([after['behind'], after['behindSeconds']], [0, 0])
  await world.referee.generate(topic, { partitions: 2, records: 100 })
  assert.equal((await protection())['behind'], 100)

  const isPlanned = ['status', '--is-planned', `--plan-topic=${plan}`]
  assert.equal((await runCommand([...isPlanned, cluster])).exit, 10)
  await run('plan', `--topics=${topic}`, '--target-prefix=copy.', '--create-topics', `--plan-topic=${plan}`, storage)
  const copied = (await run('topics'))['topics'] as { topic: string; backedUp: string }[]
  assert.equal(copied.find(one => one.topic === `copy.${topic}`)?.backedUp, 'held by a restore')
  await run(...isPlanned)
  const planned = await run('status', `--plan-topic=${plan}`)
  assert.deepEqual(
    ['isDone', 'files', 'filesRestored', 'records', 'recordsRestored'].map(name => planned[name]),
    [false, 2, 0, 1_000, 0],
  )
  const refused = [
    'restore',
    '-restore-topic-prefix=other.',
    `--plan-topic=${plan}`,
    '--metrics-port=0',
    storage,
    cluster,
  ]
  const { exit: six, json: refusal } = await runCommand(refused)
  assert.equal(six, 6)
  assert.match(JSON.stringify(refusal['error']), /was planned with the prefix copy\., not with other\./)
  const waiting = startCommand(['status', `--plan-topic=${plan}`, '--wait', cluster])
  await run('restore', '--exit-when-done', '--metrics-port=0', '--session-timeout=6s', `--plan-topic=${plan}`, storage)
  const { exit, json } = await waiting.result
  assert.equal(exit, 0)
  assert.deepEqual([json['isDone'], json['recordsRestored'], json['filesRestored']], [true, 1_000, 2])
  const told = await runCommand([
    'report',
    `--out=${world.folder}/report.html`,
    `--topics=${topic}`,
    `--plan-topic=${plan}`,
    cluster,
    storage,
  ])
  assert.deepEqual([told.exit, told.json['isRestored']], [0, true])
  const page = await readFile(`${world.folder}/report.html`, 'utf8')
  assert.match(page, new RegExp(`Restore of ${plan}</h2>\n<p><b class=OK>OK</b> all there: 1000 records`))
  assert.match(page, new RegExp(`<th>copy\\.${topic}<td>\\d of \\d<td>1,000<td>1,000<td>100%`))
})
