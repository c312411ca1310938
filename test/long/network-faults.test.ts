import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { after, before, suite, test } from 'node:test'
import { BackupRun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { startCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { Referee } from '../helpers/referee.ts'
import { assertSameDigests, RoundTrip } from '../helpers/round-trip.ts'
import { Dice } from '../helpers/seed.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { TcpFaults } from '../helpers/tcp-faults.ts'
import type { TcpFault } from '../helpers/tcp-faults.ts'
import { openWorld } from '../helpers/world.ts'
import type { World } from '../helpers/world.ts'

const names = ['DELAY', 'CUT', 'HALF', 'THROTTLE', 'HOLE'] as const
type Name = (typeof names)[number]

/** Through a proxy that the broker sends its clients to: each network has one of its own. */
suite('a worker and an executor get through', { skip: skipWithForeignKafka, concurrency: true }, () => {
  const networks = new Map<Name, TcpFaults>()
  let kafka: Kafka
  let referee: Referee

  before(async () => {
    for (const name of names) networks.set(name, await TcpFaults.start(new Dice(name)))
    kafka = await Kafka.start({
      listeners: Object.fromEntries(names.map(name => [name, 'PLAINTEXT'])),
      advertised: Object.fromEntries(names.map(name => [name, networks.get(name)!.port])),
    })
    for (const [name, network] of networks) network.target = kafka.brokers[0]!.addressOf(name)
    referee = Referee.start(kafka.bootstrap)
  })

  after(async () => {
    await referee?.[Symbol.asyncDispose]()
    for (const network of networks.values()) await network[Symbol.asyncDispose]()
    await kafka?.[Symbol.asyncDispose]()
  })

  test('a network that delays every answer', t => survives(t, 'DELAY', { kind: 'delay', ms: [20, 120] }, 2))
  test('a network that resets connections, all the time', t =>
    survives(t, 'CUT', { kind: 'cut', bytes: [2_000, 60_000] }, 8))
  test('a network that closes connections by half', t =>
    survives(t, 'HALF', { kind: 'half-close', bytes: [2_000, 60_000] }, 4))
  test('a network of 40 KB a second', t => survives(t, 'THROTTLE', { kind: 'throttle', bytesPerSecond: 40_000 }, 2))
  test('a network that swallows everything until its connections break', t =>
    survives(t, 'HOLE', { kind: 'black hole', bytes: [2_000, 60_000] }, 2))

  async function survives(t: TestContext, name: Name, fault: TcpFault, times: number): Promise<void> {
    await using shared = await openWorld(t)
    const network = networks.get(name)!
    const world: World = { ...shared, referee, bootstrap: network.address }
    const topic = world.name('orders')
    await referee.createTopic(topic, { partitions: 3 })
    const produce = (seed: number) => referee.generate(topic, { partitions: 3, records: 1_500, seed })
    await produce(1)

    const backup = new BackupRun({ world, topics: [topic] })
    const worker = backup.start('worker', ['--max-file-age=200ms'])
    await eventually('the worker uploads', () => logged(worker.output(), 'uploaded').length >= 3)
    await meets(network, fault, times, produce)
    await produce(99)
    await backup.reachesEnds(topic)
    worker.signal('SIGTERM')
    const { exit, stderr } = await worker.result
    assert.equal(exit, 0, stderr)
    assertNoAlarm(stderr)
    await backup.assertSame(topic)

    const roundTrip = new RoundTrip(world)
    await roundTrip.plan()
    network.order(fault)
    const fired = network.fired
    const restore = startCommand([...roundTrip.restoreCommand(), '--max-rate=100KiB'])
    await eventually('the executor meets the fault', () => network.fired >= fired + times, { timeoutMs: 60_000 })
    network.heal()
    const restored = await restore.result
    assert.equal(restored.exit, 0, restored.stderr)
    await assertSameDigests({ ...world, bootstrap: kafka.bootstrap }, topic, roundTrip.target(topic))
  }
})

/** The fault, until it has happened often enough; something is there to be read all the while. */
async function meets(
  network: TcpFaults,
  fault: TcpFault,
  times: number,
  produce: (seed: number) => Promise<unknown>,
): Promise<void> {
  const fired = network.fired
  network.order(fault)
  let seed = 2
  const isMet = async () => {
    await produce(seed++)
    return network.fired >= fired + times
  }
  await eventually(`${fault.kind} happens`, isMet, { timeoutMs: 60_000, everyMs: 300 })
  network.heal()
}
