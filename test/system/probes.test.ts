import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { BackupRun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { freePorts } from '../helpers/ports.ts'
import { openWorld } from '../helpers/world.ts'

/** What a probe is told. */
async function probe(port: number, path: string): Promise<{ status: number; says: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}/${path}`)
  return { status: answer.status, says: (await answer.text()).trim() }
}

/** No server yet is not ready, too. */
const isReady = (port: number) =>
  probe(port, 'readyz').then(
    ({ status }) => status === 200,
    () => false,
  )

test(
  'while the broker is dead, a worker, an executor and an idle one stay alive and are not ready; they are again when it is back',
  { skip: skipWithForeignKafka },
  async t => {
    await using world = await openWorld(t)
    await using kafka = await Kafka.start()
    const topic = world.name('orders')
    await world.referee.createTopic(topic)
    await world.referee.generate(topic, { partitions: 1, records: 100 })
    const backup = new BackupRun({ world, topics: [topic] })
    await backup.onceOk()
    const here = new BackupRun({ world: { ...world, bootstrap: kafka.bootstrap }, topics: ['.*'], store: 'here' })
    const common = [`--storage=${backup.url}`, `--bootstrap-server=${kafka.bootstrap}`]
    const planned = await runCommand(['plan', '--create-topics', ...common])
    assert.equal(planned.exit, 0, planned.stderr)

    const ports = await freePorts(3)
    const restore = ['restore', '--session-timeout=6s', ...common]
    const running = [
      here.start('worker', [`--metrics-port=${ports[0]}`]),
      startCommand([...restore, `--metrics-port=${ports[1]}`]),
      startCommand([...restore, `--metrics-port=${ports[2]}`]),
    ]
    try {
      const all = async (are: boolean) => (await Promise.all(ports.map(isReady))).every(is => is === are)
      await eventually('all are ready', () => all(true))
      await kafka.brokers[0]!.kill9()
      await eventually('none is ready', () => all(false))
      for (const port of ports) {
        assert.match((await probe(port, 'readyz')).says, /^group \S+ has not counted us in for \d+s$/)
        assert.equal((await probe(port, 'livez')).status, 200)
      }
      await kafka.brokers[0]!.restart()
      await eventually('all are ready again', async () => {
        for (const port of ports) assert.equal((await probe(port, 'livez')).status, 200)
        return all(true)
      })
    } finally {
      for (const command of running) command.signal('SIGTERM')
      const ended = await Promise.all(running.map(({ result }) => result))
      assert.deepEqual(
        ended.map(({ exit }) => exit),
        [0, 0, 0],
      )
    }
  },
)

test('a worker and an executor in which a call never ends are not alive, and name it', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  const [fetched, planTopic] = [world.name('payments'), world.name('plan')]
  for (const name of [topic, fetched]) {
    await world.referee.createTopic(name)
    await world.referee.generate(name, { partitions: 1, records: 100 })
  }
  const backup = new BackupRun({ world, topics: [topic] })
  await backup.onceOk()
  const common = [`--storage=${backup.url}`, `--bootstrap-server=${world.bootstrap}`, `--plan-topic=${planTopic}`]
  const planned = await runCommand(['plan', '--target-prefix=back.', '--create-topics', ...common])
  assert.equal(planned.exit, 0, planned.stderr)

  const uploads = new BackupRun({ world, topics: [topic], group: world.name('uploads'), store: 'uploads' })
  const fetches = new BackupRun({ world, topics: [fetched], group: world.name('fetches'), store: 'fetches' })
  const cases = [
    [uploads.argv('one', '--max-file-age=100ms'), `store.put~${topic}/:before:1:hang`, `an upload of ${topic}-0`],
    [fetches.argv('two'), `kafka.fetch~${fetched}:before:1:hang`, 'a fetch from broker 1'],
    [['restore', ...common], `kafka.append:before:1:hang`, `an append to back.${topic}-0`],
    [['restore', '--group-id=other', ...common], `store.get:before:1:hang`, `reading the files of back.${topic}-0`],
  ] as const
  const ports = await freePorts(cases.length)
  await Promise.all(
    cases.map(async ([argv, fault, what], n) => {
      const watched = argv.filter(flag => !flag.startsWith('--metrics-port'))
      const flags = [`--metrics-port=${ports[n]}`, '--stuck-after=2s']
      const worker = new FaultyCli([...watched, ...flags], [fault])
      try {
        await worker.happened(fault)
        await eventually(`${what} is called stuck`, async () => {
          const { status, says } = await probe(ports[n]!, 'livez')
          return status === 503 && says.includes(`: ${what}`)
        })
        // Its heartbeats go on: the group counts it in.
        await eventually('it is ready all the same', () => isReady(ports[n]!))
      } finally {
        worker.process.kill('SIGKILL')
        await worker.result
      }
    }),
  )
})
