import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeDefinitions } from '../../src/catalog/topic-definitions.ts'
import type { PreflightRow } from '../../src/planner/preflight.ts'
import { Cli } from '../helpers/cli.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import { openClient } from '../helpers/kafka-client.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

test('renamed and prefixed: each source gets the target that was asked for, with its records', async t => {
  await using scene = await openRestoreScene(t)
  const [orders, carts] = [await scene.source('orders', 40), await scene.source('carts', 30)]
  await scene.backUp(orders, carts)
  const renamed = scene.world.name('renamed')
  ok(await scene.plan(['--create-topics', '--target-prefix=r.', `--rename=${orders}=${renamed}`]))
  ok(await scene.restore())
  await scene.assertSame(orders, renamed)
  await scene.assertSame(carts, `r.${carts}`)
})

test('names that are impossible are refused before anything is contacted for them', async t => {
  await using scene = await openRestoreScene(t)
  const [orders, carts] = [scene.world.name('orders'), scene.world.name('carts')]
  for (const topic of [orders, carts]) await scene.putFiles(topic, 0, [0, 5])
  const both = await scene.plan(['--create-topics', `--rename=${orders}=both`, `--rename=${carts}=both`])
  refused(both, 2, 'USAGE', `${carts} and ${orders} would both be restored into both`, '--rename')
  const onto = await scene.plan(['--create-topics', `--rename=${orders}=${carts}`])
  refused(onto, 2, 'USAGE', `${carts} and ${orders} would both be restored into ${carts}`)
  const intoPlan = await scene.plan(['--create-topics', `--rename=${orders}=${scene.planTopic}`])
  refused(intoPlan, 2, 'USAGE', `${orders} would be restored into the plan topic ${scene.planTopic}`)
  const internal = await scene.plan(['--create-topics', '--target-prefix=__'])
  refused(internal, 2, 'USAGE', `__${carts}`, 'a name of Kafka’s own topics')
  const typo = await scene.plan(['--create-topics', '--target-prefix=r.', '--rename=ordres=x'])
  refused(typo, 2, 'USAGE', '--rename speaks of ordres')
  assert.deepEqual(await scene.entries(), [])
})

test('a created target has the partitions and configs of its source; replicas that do not exist are left out aloud, and before it as well', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const id = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
  const configs = { 'retention.ms': '7200000', 'min.insync.replicas': '2', 'segment.bytes': '2097152' }
  const definition = { topic, topic_id: id, partitions: 5, replication_factor: 3, configs, acls: [] }
  await writeDefinitions(scene.store, [definition], Date.now())
  await scene.putFiles(topic, 1, [0, 5])
  refused(await scene.plan(['--target-prefix=r.']), 6, 'TARGET_MISSING', `r.${topic} does not exist`, '--create-topics')
  assert.deepEqual(await scene.entries(), [])
  const { json } = ok(await scene.plan(['--target-prefix=r.', '--create-topics', '--dry-run']))
  const cluster = 'the cluster has 1 broker, and min.insync.replicas is lowered from 2 to as many'
  const before = [`r.${topic} is created with fewer replicas than the 3 of its source: ${cluster}`]
  assert.deepEqual(json['warnings'], before)
  await assert.rejects(scene.world.referee.describeTopic(`r.${topic}`), /UnknownTopicOrPartition/)

  const planned = ok(await scene.plan(['--target-prefix=r.', '--create-topics']))
  for (const rows of [json['preflight'], planned.json['preflight']])
    assert.deepEqual((rows as PreflightRow[])[0]?.reasons, before)
  const [lowered = ''] = planned.json['warnings'] as string[]
  assert.match(lowered, /r\..* has 1 replicas, where its source had 3.*min\.insync\.replicas is 1 instead of 2/)
  const created = await scene.world.referee.describeTopic(`r.${topic}`)
  assert.equal(created.partitions.length, 5)
  assert.equal(created.configs['segment.bytes'], '2097152')
  assert.equal(created.configs['retention.ms'], '-1')
  const [head] = await scene.heads()
  assert.equal(head?.targets[0]?.created, true)
  assert.equal(head.targets[0].finalConfigs['retention.ms'], '7200000')
})

test('a planner that dies before it lets a smaller target have fewer replicas in sync leaves nothing behind that takes no record', async t => {
  await using scene = await openRestoreScene(t)
  const [topic, empty] = [scene.world.name('orders'), scene.world.name('void')]
  const id = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
  const of = { topic_id: id, partitions: 1, replication_factor: 3, configs: { 'min.insync.replicas': '2' }, acls: [] }
  const definitions = [
    { topic, ...of },
    { topic: empty, ...of },
  ]
  await writeDefinitions(scene.store, definitions, Date.now())
  await scene.putFiles(topic, 0, [0, 5])
  const flags = ['--target-prefix=r.', '--create-topics']
  for (const call of [1, 2]) {
    const fault = `admin.alterTopicConfigs:before:${call}:kill`
    const planner = new FaultyCli(scene.planArgv(flags), [fault])
    assert.equal((await planner.result).exit, 'SIGKILL', planner.output)
    planner.assertAllFired()
  }
  const warnings = ok(await scene.plan(flags)).json['warnings'] as string[]
  assert.ok(warnings.some(text => text.includes(`r.${topic} has 1 replicas, where its source had 3`)))
  for (const name of [topic, empty]) {
    const { configs } = await scene.world.referee.describeTopic(`r.${name}`)
    assert.equal(configs['min.insync.replicas'], '1', name)
  }
  ok(await scene.restore())
  assert.equal((await scene.world.referee.records(`r.${topic}`)).length, 5)
})

test('without a hold, a target that would refuse the times of its records is refused before anything is written', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const future = scene.world.name('future')
  const inTwoHours = Date.now() + 2 * 3_600_000
  await referee.createTopic(future, { configs: { 'message.timestamp.after.max.ms': '9223372036854775807' } })
  await referee.generate(future, { partitions: 1, records: 3, timestampFrom: inTwoHours, timestampStep: 1 })
  await scene.backUp(future)
  const target = scene.world.name('target')
  await referee.createTopic(target, { configs: { 'retention.ms': '60000' } })
  const flags = [`--rename=${future}=${target}`]
  for (const dry of [[], ['--dry-run']]) {
    const result = await scene.plan([...flags, '--hold=off', ...dry])
    refused(
      result,
      2,
      'USAGE',
      target,
      'message.timestamp.after.max.ms is 3600000',
      `of ${target}, or leave out --hold`,
    )
  }
  assert.deepEqual(await scene.entries(), [])
  ok(await scene.plan(flags))
  ok(await scene.restore())
  await scene.assertSame(future, target)
})

test('with --hold off a target keeps its own configs from the plan to the end, and finalize has nothing to do', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 50])
  const configs = { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '9223372036854775807' }
  await referee.createTopic(`r.${topic}`, { configs })
  const own = (await referee.describeTopic(`r.${topic}`)).configs
  ok(await scene.plan(['--target-prefix=r.', '--hold=off']))
  assert.deepEqual((await referee.describeTopic(`r.${topic}`)).configs, own)
  ok(await scene.restore())
  assert.equal((await referee.records(`r.${topic}`)).length, 50)
  const finalize = ['finalize', `--plan-topic=${scene.planTopic}`, `--bootstrap-server=${scene.world.bootstrap}`]
  assert.deepEqual(ok(await runCommand(finalize)).json['topics'], [])
  assert.deepEqual((await referee.describeTopic(`r.${topic}`)).configs, own)
})

test('a topic that held no record is created like its source, or told', async t => {
  await using scene = await openRestoreScene(t)
  const orders = await scene.source('orders', 4)
  const empty = await scene.source('empty', 0, { partitions: 3, configs: { 'segment.bytes': 2_097_152 } })
  await scene.backUp(orders, empty)
  const only = [`--rename=${orders}=${orders}.copy`, `--rename=${empty}=${empty}.copy`]
  const dry = ok(await scene.plan([...only, '--create-topics', '--dry-run']))
  const said = (what: string) => `the backup has no file of ${empty}, which held no record: ${empty}.copy ${what}`
  assert.deepEqual(dry.json['warnings'], [said('is created empty')])
  ok(await scene.plan([...only, '--create-topics']))
  const { partitions, configs } = await scene.world.referee.describeTopic(`${empty}.copy`)
  assert.deepEqual([partitions.length, configs['segment.bytes']], [3, '2097152'])
  assert.deepEqual(ok(await scene.plan([...only, '--create-topics'])).json['warnings'], [said('exists already')])
  ok(await scene.restore())
})

test('a target of another size is refused, whether it is larger or smaller', async t => {
  await using scene = await openRestoreScene(t)
  const source = await scene.source('orders', 4, { partitions: 3 })
  await scene.backUp(source)
  for (const partitions of [2, 4]) {
    const target = scene.world.name(`of${partitions}`)
    await scene.world.referee.createTopic(target, { partitions })
    const result = await scene.plan([`--rename=${source}=${target}`, '--create-topics'])
    refused(result, 6, 'TARGET_PARTITIONS', `${target} has ${partitions} partitions where its source has 3`)
  }
  assert.deepEqual(await scene.entries(), [])
})

test('a target that is not empty is refused by partition and offsets; with --append the restore goes behind it', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const source = await scene.source('orders', 50, { partitions: 2 })
  const other = await scene.source('another', 3)
  await scene.backUp(source, other)
  const target = scene.world.name('target')
  await referee.createTopic(target, { partitions: 2 })
  await referee.produce(
    target,
    [1, 2, 3].map(n => ({ partition: 1, value: `mine ${n}` })),
  )
  const rename = `--rename=${source}=${target}`
  const flags = [rename, `--topics=${source}`]
  refused(await scene.plan(flags), 6, 'TARGET_NOT_EMPTY', `${target}-1 already holds records (0 to 2)`, '--append')
  refused(await scene.plan([...flags, '--dry-run']), 6, 'TARGET_NOT_EMPTY', `${target}-1`)
  // Nothing was made that would have to be taken away again: no other target, and no plan topic.
  const both = [rename, `--rename=${other}=${other}.copy`, '--create-topics']
  refused(await scene.plan(both), 6, 'TARGET_NOT_EMPTY', `${target}-1`)
  await using kafka = openClient(scene.world.bootstrap)
  const made = await kafka.admin.topics([`${other}.copy`, scene.planTopic])
  assert.deepEqual(
    made.map(({ name }) => name),
    [],
  )

  ok(await scene.plan([...flags, '--append']))
  ok(await scene.restore())
  const records = await referee.records(target)
  const own = records.filter(({ partition, offset }) => partition === 1 && Number(offset) < 3)
  assert.deepEqual(
    own.map(({ value }) => Buffer.from(value ?? '', 'hex').toString()),
    ['mine 1', 'mine 2', 'mine 3'],
  )
  const [wanted, actual] = await Promise.all([
    referee.read(source),
    referee.read(target, { restored: true, from: { 1: 3 } }),
  ])
  assert.deepEqual(
    actual.map(({ digest }) => digest),
    wanted.map(({ digest }) => digest),
  )
})

test('all that a pre-flight refuses is told together, in a table of all targets, before anything is written', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const [full, small, fine, absent] = ['full', 'small', 'fine', 'absent'].map(word => scene.world.name(word))
  for (const topic of [full!, small!, fine!, absent!]) {
    await scene.putFiles(topic, 0, [0, 5])
    await scene.putFiles(topic, 1, [0, 5])
  }
  await referee.createTopic(`r.${full}`, { partitions: 2 })
  await referee.produce(`r.${full}`, [{ partition: 1, value: 'mine' }])
  await referee.createTopic(`r.${small}`, { partitions: 1 })
  await referee.createTopic(`r.${fine}`, { partitions: 2, configs: { 'retention.ms': '60000' } })
  const words = [
    `r.${absent} does not exist in the target cluster`,
    `r.${small} has 1 partitions where its source has 2`,
    `r.${full}-1 already holds records (0 to 0)`,
  ]
  for (const dry of [['--dry-run'], []]) {
    const result = await scene.plan(['--target-prefix=r.', ...dry])
    refused(result, 6, 'TARGET_MISSING', words.join('; '), '--create-topics', '--append')
    const { facts } = result.json['error'] as { facts: { preflight: PreflightRow[] } }
    assert.deepEqual(
      facts.preflight.map(({ target, verdict, ownedBy }) => [target, verdict, ownedBy]),
      [
        [`r.${absent}`, 'refused', 'nobody'],
        [`r.${fine}`, 'ok', 'nobody'],
        [`r.${full}`, 'refused', 'others'],
        [`r.${small}`, 'refused', 'nobody'],
      ],
    )
  }
  const { exit, stdout } = await new Cli(scene.planArgv(['--target-prefix=r.'])).result
  assert.equal(exit, 6)
  const lines = stdout.split('\n')
  assert.match(lines[2] ?? '', new RegExp(`^${fine} +r\\.${fine} +exists +2 +nothing +delete +60000 .* ok$`))
  for (const word of words) assert.ok(lines.includes(`refused: ${word}`), stdout)
  await using kafka = openClient(scene.world.bootstrap)
  assert.deepEqual(await kafka.admin.topics([`r.${absent}`, scene.planTopic]), [])
  assert.equal((await referee.describeTopic(`r.${fine}`)).configs['retention.ms'], '60000')

  const planned = ok(
    await scene.plan(['--target-prefix=r.', '--create-topics', `--topics=${fine}`, `--topics=${absent}`]),
  )
  const rows = planned.json['preflight'] as PreflightRow[]
  assert.deepEqual(
    rows.map(({ topic, verdict }) => [topic, verdict]),
    [
      ['exists', 'ok'],
      ['to be created', 'note'],
    ],
  )
})

test('a plan that exists is not mixed with other target names, nor with another backup', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 5])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  const before = await scene.entries()
  const other = await scene.plan(['--create-topics', '--target-prefix=s.'])
  refused(other, 6, 'PLAN_FOREIGN', `${scene.planTopic} holds the plan of another restore`, '--plan-topic')
  const renamed = await scene.plan(['--create-topics', '--target-prefix=r.', `--rename=${topic}=r.${topic}x`])
  refused(renamed, 6, 'PLAN_FOREIGN', 'other target names')
  assert.deepEqual(await scene.entries(), before)
})

test('a target is held, and what it had before stands in the head, also after later runs', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 5])
  const target = scene.world.name('target')
  const own = { 'retention.ms': '3600000', 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' }
  await referee.createTopic(target, { configs: { ...own, 'segment.bytes': 2_097_152 } })
  const flags = [`--rename=${topic}=${target}`]
  ok(await scene.plan(flags))
  const held = await referee.describeTopic(target)
  assert.deepEqual(held.configs, {
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'cleanup.policy': 'delete',
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.before.max.ms': '9223372036854775807',
    'message.timestamp.after.max.ms': '9223372036854775807',
    'segment.bytes': '2097152',
  })
  const kept = { ...own, 'retention.bytes': null }
  const [head] = await scene.heads()
  const timeBounds = { 'message.timestamp.before.max.ms': null, 'message.timestamp.after.max.ms': null }
  assert.deepEqual(head?.targets[0]?.finalConfigs, { ...kept, ...timeBounds })

  await scene.putFiles(topic, 0, [5, 9])
  assert.equal(ok(await scene.plan(flags)).json['filesAdded'], 1)
  assert.deepEqual(await scene.heads(), [head])
  assert.deepEqual((await referee.describeTopic(target)).configs, held.configs)

  const free = scene.world.name('free')
  await referee.createTopic(free, { configs: own })
  const late = [`--plan-topic=${free}.plan`, `--rename=${topic}=${free}`, '--hold=off']
  refused(await runCommand(['plan', ...late, ...scene.common]), 2, 'USAGE', free, 'message.timestamp.type=CreateTime')
})

test('a run holds its own targets, or does not, whatever the run did that began the plan', async t => {
  await using scene = await openRestoreScene(t)
  const { referee } = scene.world
  const own = { 'retention.ms': '3600000', 'message.timestamp.type': 'LogAppendTime' }
  const bounds = { 'message.timestamp.before.max.ms': null, 'message.timestamp.after.max.ms': null }
  const before = { ...own, 'retention.bytes': null, 'cleanup.policy': null, ...bounds }
  for (const [flag, hold, finalConfigs] of [
    ['--hold=off', 'off', {}],
    ['--hold=auto', 'auto', before],
  ] as const) {
    const topic = scene.world.name(hold)
    const target = `r.${topic}`
    await scene.putFiles(topic, 0, [0, 5])
    await referee.createTopic(target, { configs: hold === 'off' ? { 'retention.ms': '3600000' } : own })
    ok(await scene.plan(['--target-prefix=r.', `--topics=${topic}`, flag]))
    const head = (await scene.heads()).at(-1)
    const said = head?.targets.map(one => [one.topic, one.finalConfigs])
    assert.deepEqual([said, head?.hold], [[[target, finalConfigs]], hold])
    const { configs } = await referee.describeTopic(target)
    assert.equal(configs['retention.ms'], hold === 'off' ? '3600000' : '-1')
    assert.notEqual(configs['message.timestamp.type'], 'LogAppendTime')
  }
})
