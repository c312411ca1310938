import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from './eventually.ts'
import { Kafka } from './kafka-broker.ts'
import { Referee } from './referee.ts'
import { skipWithForeignKafka } from './shared-kafka.ts'

test(
  'three brokers keep their records and ports over kill -9, and leaders move',
  { skip: skipWithForeignKafka },
  async () => {
    await using kafka = await Kafka.start({ brokers: 3 })
    await using referee = Referee.start(kafka.bootstrap)
    await referee.createTopic('kept', { replicas: 3 })
    await referee.produce('kept', [{ value: 'a' }])
    const before = await referee.describeTopic('kept')
    const leader = before.partitions[0]!.leader === 3 ? 2 : 3
    await referee.moveLeader('kept', 0, leader)
    // Whichever broker is asked.
    await eventually('it leads', async () => (await referee.describeTopic('kept')).partitions[0]!.leader === leader)

    const broker = kafka.brokers[leader - 1]!
    const { port, pid } = broker
    await broker.kill9()
    assert.equal(broker.pid, undefined)
    await referee.produce('kept', [{ value: 'b, by another leader' }])
    await broker.restart({ withBrokers: 3 })
    assert.equal(broker.port, port)
    assert.notEqual(broker.pid, pid)
    assert.deepEqual(
      (await referee.read('kept')).map(({ records }) => records),
      [2],
    )
  },
)

test('a broker dies with the process that started it, by SIGKILL too', { skip: skipWithForeignKafka }, async () => {
  const program = `
    import { Kafka } from ${JSON.stringify(join(import.meta.dirname, 'kafka-broker.ts'))}
    const kafka = await Kafka.start()
    console.log(kafka.brokers[0].pid)
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  const pid = Number(line)
  assert.ok(isAlive(pid))
  child.kill('SIGKILL')
  await eventually('the broker is gone', () => !isAlive(pid))
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
