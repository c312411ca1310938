import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strictDefinitions } from '../../src/catalog/sound-definitions.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { openWorld } from '../helpers/world.ts'

const dayMs = 24 * 3_600_000

test(
  'a topic that says nothing of its cleanup is pruned as its cluster cleans it: by the file of the brokers, or as all brokers were told since',
  { skip: skipWithForeignKafka },
  async t => {
    await using shared = await openWorld(t)
    await using kafka = await Kafka.start({ properties: { 'log.cleanup.policy': 'compact' } })
    await using referee = Referee.start(kafka.bootstrap)
    const world = { ...shared, referee, bootstrap: kafka.bootstrap }
    const backup = new BackupRun({ world, topics: ['users', 'orders'] })
    const storage = `--storage=${backup.url}`
    await referee.createTopic('users')
    await referee.createTopic('orders', { configs: { 'cleanup.policy': 'delete', 'retention.ms': -1 } })
    const update = async () => {
      for (const topic of ['users', 'orders']) {
        const timestamp = Date.now() - 90 * dayMs
        const some = Array.from({ length: 20 }, (_, n) => ({ partition: 0, key: `k${n % 3}`, value: 'v', timestamp }))
        await referee.produce(topic, some)
      }
      await backup.onceOk()
    }
    const goes = async () => {
      const { exit, json, stderr } = await runCommand(['prune', '--keep=30d', storage])
      assert.equal(exit, 0, stderr)
      assert.deepEqual(json['unseenConfigs'], [])
      const topics = json['topics'] as { topic: string; files: number }[]
      return topics.filter(({ files }) => files > 0).map(({ topic }) => topic)
    }
    const saved = async () => {
      const { topics = [] } = (await strictDefinitions(backup.store).newest()) ?? {}
      return new Map(topics.map(one => [one.topic, one]))
    }

    await update()
    await update()
    const users = (await saved()).get('users')
    // A restore sets what the topic had for itself: nothing.
    assert.deepEqual([users?.configs['cleanup.policy'], users?.clusterPolicy], [undefined, 'compact'])
    assert.deepEqual(await goes(), ['orders'])
    const compacted = await runCommand(['compact', storage, '--dry-run', `--working-dir=${world.folder}/compact`])
    assert.deepEqual(
      (compacted.json['made'] as { topic: string }[]).map(({ topic }) => topic),
      ['users'],
    )

    for (const policy of ['delete', 'compact']) {
      await referee.alterConfigs({ broker: 1 }, { set: { 'log.cleanup.policy': policy } })
      await eventually(`the broker does ${policy} by default`, async () => {
        await update()
        return ((await saved()).get('users')?.configs['cleanup.policy'] ?? '') === policy
      })
      assert.deepEqual(await goes(), policy === 'delete' ? ['orders', 'users'] : ['orders'])
    }
  },
)
