import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'
import { openWorld } from '../helpers/world.ts'

test('a worker and an executor show at / of the metrics port what they are at, while they are at it; metrics and status say the same', async t => {
  await using world = await openWorld(t)
  const [topic, group, plan] = [world.name('orders'), world.name('group'), world.name('plan')]
  const [metrics = 0, flush = 0] = await freePorts(2)
  await world.referee.createTopic(topic, { partitions: 2 })
  await world.referee.generate(topic, { partitions: 2, records: 1_000 })
  const common = [`--bootstrap-server=${world.bootstrap}`, `--storage=file://${world.folder}/backup`]
  const shows = (text: RegExp) =>
    eventually(`the page shows ${text.source}`, async () => {
      const answer = await fetch(`http://127.0.0.1:${metrics}/`)
      const page = await answer.text()
      assert.match(page, text)
      return page
    })

  const own = [`--working-dir=${world.folder}/work`, `--metrics-port=${metrics}`, `--flush-port=${flush}`]
  const member = ['--session-timeout=6s', ...common]
  const worker = startCommand(['backup', `--topics=${topic}`, `--group-id=${group}`, ...own, ...member])
  t.after(() => worker.signal('SIGTERM'))
  const buffered = await shows(/2 partitions of this worker · 1,000 offsets are read and not in files/)
  assert.match(
    buffered,
    new RegExp(`<summary>${topic} <b class=OK>OK</b><svg role=img aria-label="somewhere UPLOADING">`),
  )
  const asked = await runCommand(['flush', '--report', `--flush-port=${flush}`])
  assert.equal(asked.exit, 0, asked.stderr)
  const report = asked.json['report'] as { key: string; status: string; partitions: number; bytes: number }
  assert.deepEqual([report.status, report.partitions], ['OK', 2])
  assert.match(report.key, /^@report\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.html$/)
  const kept = await readFile(join(world.folder, 'backup', report.key), 'utf8')
  assert.equal(Buffer.byteLength(kept), report.bytes)
  assert.match(kept, /<p class=lead>All that Kafka has of these topics is in the backup</)
  const proved = await runCommand(['verify', common[1]!])
  assert.deepEqual([proved.exit, proved.json['foreign']], [0, []])
  await shows(/2 partitions of this worker · all that was read is in files · nothing more to read/)
  worker.signal('SIGTERM')
  assert.equal((await worker.result).exit, 0)

  const planned = ['plan', '--create-topics', '--target-prefix=copy.', `--topics=${topic}`, `--plan-topic=${plan}`]
  assert.equal((await runCommand([...planned, ...common])).exit, 0)
  const executor = startCommand(['restore', `--plan-topic=${plan}`, `--metrics-port=${metrics}`, ...member])
  t.after(() => executor.signal('SIGTERM'))
  const restored = await shows(/<p class=lead>1,000 of 1,000 records of the partitions that this executor has met/)
  assert.match(restored, new RegExp(`<th>copy.${topic}<td>2 of 2<td>1,000<td>1,000<td>100%`))
  const told = [1_000, 1_000, 2]
  // What is in the target is committed a moment later.
  await eventually('status says that all is restored', async () => {
    const { json } = await runCommand(['status', `--plan-topic=${plan}`, `--bootstrap-server=${world.bootstrap}`])
    assert.deepEqual(
      ['records', 'recordsRestored', 'filesRestored'].map(name => json[name]),
      told,
    )
    return true
  })
  await eventually('the metrics say what status does', async () => {
    const scraped = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    const value = (name: string) =>
      Number(new RegExp(`^maxbrod_restore_${name}{topic="copy.${topic}"} (\\d+)$`, 'm').exec(scraped)?.[1])
    assert.deepEqual([value('planned_records'), value('restored_records'), value('files_total')], told)
    return true
  })
  executor.signal('SIGTERM')
  assert.equal((await executor.result).exit, 0)
})
