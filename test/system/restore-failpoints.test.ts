import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forgetful } from '../helpers/forgetful-kafka.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { RestoreStage } from '../helpers/restore-failpoints.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { openWorld } from '../helpers/world.ts'

/** A few of those that `make torture-restore` hits. */
const failpoints = [
  { command: 'plan', verb: 'kafka.append', when: 'after', call: 2, effect: 'kill' },
  { command: 'plan', verb: 'admin.alterTopicConfigs', when: 'after', call: 1, effect: 'stop' },
  { command: 'restore', verb: 'kafka.append', when: 'before', call: 5, effect: 'stop' },
  { command: 'restore', verb: 'kafka.commit', when: 'before', call: 1, effect: 'stop' },
] as const

test(
  'a planner or an executor that dies around what it writes, or stands still while others do its work: each record is there once, unchanged and in order',
  { skip: skipWithForeignKafka },
  async t => {
    await using kafka = await Kafka.start({ properties: forgetful })
    const { bootstrap } = kafka
    await using referee = Referee.start(bootstrap)
    await using world = await openWorld(t, { bootstrap, referee })
    const { folder, dice } = world
    const stage = await RestoreStage.open({ bootstrap, referee, folder, suffix: world.name('hit'), dice })
    for (const failpoint of failpoints) {
      const { fault, failure } = await stage.hit(failpoint)
      assert.equal(failure, undefined, fault)
    }
  },
)
