import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../helpers/in-process.ts'
import { ok, openRestoreScene } from '../helpers/restore-scene.ts'

const header = 'restore.source-offset'

test('a held topic is left out of a backup, which says so; finalized it is backed up and restored again: the newest source offset is the last header, all others stay', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const source = await scene.source('orders', 0)
  // Somebody's own header of that name, and offsets that are not those of the copy.
  await referee.produce(source, [{ key: 'first', value: 'deleted before the backup' }])
  await referee.produce(
    source,
    Array.from({ length: 50 }, (_, n) => ({ key: `${n}`, value: `value ${n}`, headers: [[header, 'mine']] })),
  )
  await referee.deleteRecords(source, 0, 1)
  await scene.backUp(source)
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  ok(await scene.restore())
  const copy = `r.${source}`
  await scene.assertSame(source, copy)

  const own = [`--working-dir=${scene.world.folder}/again`, `--group-id=${scene.world.name('again')}`]
  const backUpCopy = () =>
    runCommand(['backup', '--once', '--metrics-port=0', `--topics=${copy}`, ...own, ...scene.common])
  const held = ok(await backUpCopy())
  assert.deepEqual([held.json['held'], held.json['files']], [[copy], 0])
  assert.equal(held.stderr.split('a restore still fills this topic').length, 2, 'told once')
  const status = ok(await runCommand(['status', `--topics=${copy}`, ...own.slice(1), scene.common[0]!]))
  assert.deepEqual([status.json['held'], status.json['partitions']], [[copy], []])

  ok(await runCommand(['finalize', `--plan-topic=${scene.planTopic}`, '--yes', scene.common[0]!]))
  const first = ok(await backUpCopy())
  assert.deepEqual([first.json['held'], first.json['records']], [[], 50])

  const planTopic = scene.world.name('plan-2')
  const selected = [`--topics=${copy}`, '--create-topics', '--target-prefix=r.']
  ok(await runCommand(scene.planArgv(selected, planTopic)))
  const executor = ['restore', '--exit-when-done', '--metrics-port=0', '--session-timeout=3s', '--verify=full']
  ok(await runCommand([...executor, `--plan-topic=${planTopic}`, ...scene.common]))
  await scene.assertSame(copy, `r.${copy}`)
  const records = await referee.records(`r.${copy}`)
  const text = (hex: string | null) => Buffer.from(hex ?? '', 'hex').toString()
  assert.deepEqual(
    records.map(({ headers }) => headers.map(([key, value]) => [text(key), text(value)])),
    Array.from({ length: 50 }, (_, n) => [
      [header, 'mine'],
      [header, `${n + 1}`],
      [header, `${n}`],
    ]),
  )
})
