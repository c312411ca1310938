import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cli } from './cli.ts'
import { eventually } from './eventually.ts'
import { runCommand } from './in-process.ts'
import { Kafka } from './kafka-broker.ts'
import { Referee } from './referee.ts'
import type { PartitionRead } from './referee-types.ts'
import { Dice } from './seed.ts'

/** A restore that is shot at, and what is shot at it. */
export interface FireOptions {
  readonly name: string
  readonly seed: string
  readonly brokers: 1 | 3
  readonly records: number
  readonly executors: number
  /** SIGKILL of an executor, which is started again. */
  readonly kills: number
  /** SIGSTOP of an executor for longer than its session lasts, then SIGCONT. */
  readonly pauses: number
  /** SIGKILL of a broker, which is started again; with three brokers, of the one that leads the first target partition. */
  readonly brokerKills: number
  /** SIGKILL of all brokers at the same moment, which are started again. */
  readonly clusterKills?: number
  /** SIGKILL of every broker, one after the other: each is back before the next one dies. */
  readonly rollingKills?: number
  /** Of each executor: slow enough for the faults to hit, fast enough to end. */
  readonly maxRate: string
  readonly say: (line: string) => void
}

export interface FireReport {
  readonly outcome: 'exactly once' | 'stopped aloud'
  readonly seconds: number
  /** Each fault, and how much of the restore was done when it hit, in percent. */
  readonly faults: readonly string[]
  /** What executors said that stopped aloud. */
  readonly stops: readonly string[]
}

const partitions = 8
const sessionMs = 6_000
const thirtyDaysMs = 30 * 24 * 3_600_000

type FaultKind = 'kill' | 'pause' | 'broker' | 'cluster' | 'rolling'

/**
 * Records as old as they are in a real restore, brokers that forget producers within a second, executors and brokers that
 * die. In the end there is exactly one copy of each record, in order; or an executor has stopped aloud (TARGET_SPOILED),
 * in the one window that the design names. Throws for everything else, and for a fault that hit nothing.
 */
export async function restoreUnderFire(options: FireOptions): Promise<FireReport> {
  const { seed, brokers, records, say } = options
  const dice = new Dice(options.name, seed)
  const startedAt = performance.now()
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-fire-'))
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  const kafka = stack.use(
    await Kafka.start({ brokers, properties: { 'producer.id.expiration.check.interval.ms': 1_000 } }),
  )
  const referee = stack.use(Referee.start(kafka.bootstrap))

  const written = {
    valueBytes: [60, 140],
    headers: [0, 2],
    codec: 'lz4',
    timestampStep: 0,
    timestampJitter: 5_000,
  } as const
  await referee.createTopic('orders', { partitions })
  await referee.generate('orders', {
    ...written,
    partitions,
    records,
    seed: dice.between(1, 1_000_000),
    timestampFrom: Date.now() - thirtyDaysMs,
  })
  const source = await referee.read('orders')
  const common = [`--storage=file://${folder}/backup`, `--bootstrap-server=${kafka.bootstrap}`]
  const worker = ['--group-id=b', `--working-dir=${folder}/work`, '--min-file-size=64KiB', '--metrics-port=0']
  await succeed(['backup', '--once', '--topics=orders', ...worker, ...common])
  // Small batches: many moments at which something can go wrong.
  await referee.createTopic('copy', { partitions, configs: { 'max.message.bytes': 16 * 1024 } })
  await succeed(['plan', '--rename=orders=copy', ...common])

  const fire = new Fire(options, dice, kafka, referee, common)
  stack.defer(() => fire.end())
  await fire.run()
  const copy = await referee.read('copy', { restored: true })
  const outcome = fire.stops.length > 0 ? 'stopped aloud' : 'exactly once'
  if (outcome === 'exactly once' || fire.saidOk) assertSame(copy, source)
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  say(`seed ${seed}: ${outcome} after ${seconds} s; ${fire.faults.join(', ')}`)
  return { outcome, seconds, faults: fire.faults, stops: fire.stops }
}

async function succeed(argv: readonly string[]): Promise<void> {
  const { exit, stderr } = await runCommand(argv)
  assert.equal(exit, 0, stderr)
}

function assertSame(copy: readonly PartitionRead[], source: readonly PartitionRead[]): void {
  const comparable = ({ partition, records, digest }: PartitionRead) => ({ partition, records, digest })
  assert.deepEqual(copy.map(comparable), source.map(comparable))
  assert.deepEqual(
    copy.map(({ strays }) => strays),
    copy.map(() => 0),
  )
}

/** It found no broker at its start and was never a member: whoever runs it starts it again. A member has to hold out. */
function isUnheard(exit: number | string | null, output: string): boolean {
  return exit === 5 && !output.includes('joined the group')
}

class Fire {
  readonly faults: string[] = []
  readonly stops: string[] = []
  /** An executor has ended with exit code 0. */
  saidOk = false
  readonly #options: FireOptions
  readonly #dice: Dice
  readonly #kafka: Kafka
  readonly #referee: Referee
  readonly #common: readonly string[]
  readonly #executors: Cli[] = []
  #isOver = false

  constructor(options: FireOptions, dice: Dice, kafka: Kafka, referee: Referee, common: readonly string[]) {
    this.#options = options
    this.#dice = dice
    this.#kafka = kafka
    this.#referee = referee
    this.#common = common
  }

  async run(): Promise<void> {
    for (let n = 0; n < this.#options.executors; n++) this.#start(n)
    const plan = this.#schedule()
    for (const { kind, atPercent } of plan) {
      if (!(await this.#untilPercent(atPercent))) break
      await sleep(this.#dice.between(0, 400))
      await this.#hit(kind)
    }
    if (this.stops.length === 0) {
      assert.equal(
        this.faults.length,
        plan.length,
        `the restore was over before all faults had hit: ${this.faults.join()}`,
      )
    }
    for (const n of this.#executors.keys()) {
      for (;;) {
        const executor = this.#executors[n]!
        const { exit, stderr } = await executor.result
        this.#judge(n, exit, stderr)
        if (executor === this.#executors[n]) break
      }
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    for (const executor of this.#executors) executor.process.kill('SIGKILL')
    await Promise.all(this.#executors.map(executor => executor.result))
  }

  #start(n: number): void {
    const flags = [`--session-timeout=${sessionMs}ms`, `--max-rate=${this.#options.maxRate}`, '--memory=32MiB']
    const argv = ['restore', '--exit-when-done', '--metrics-port=0', '--output=json', ...flags, ...this.#common]
    const executor = new Cli(argv)
    this.#executors[n] = executor
    void this.#startAgain(n, executor)
  }

  /** As an orchestrator does, for one that began while no broker was there. */
  async #startAgain(n: number, executor: Cli): Promise<void> {
    const { exit, stderr } = await executor.result
    if (isUnheard(exit, stderr) && !this.#isOver && executor === this.#executors[n]) this.#start(n)
  }

  /** The faults in random order, spread over the restore. */
  #schedule(): { kind: FaultKind; atPercent: number }[] {
    const { kills, pauses, brokerKills, clusterKills = 0, rollingKills = 0 } = this.#options
    const kinds: { kind: FaultKind; rank: number }[] = [
      ...Array.from({ length: kills }, () => 'kill' as const),
      ...Array.from({ length: pauses }, () => 'pause' as const),
      ...Array.from({ length: brokerKills }, () => 'broker' as const),
      ...Array.from({ length: clusterKills }, () => 'cluster' as const),
      ...Array.from({ length: rollingKills }, () => 'rolling' as const),
    ].map(kind => ({ kind, rank: this.#dice.number() }))
    const sorted = kinds.sort((a, b) => a.rank - b.rank)
    const width = 86 / sorted.length
    return sorted.map(({ kind }, n) => ({ kind, atPercent: 2 + width * (n + this.#dice.number()) }))
  }

  async #hit(kind: FaultKind): Promise<void> {
    const before = await this.#percent()
    if (kind === 'broker') await this.#killBroker()
    else if (kind === 'cluster') await this.#killCluster()
    else if (kind === 'rolling') await this.#killInTurn()
    else await this.#hitExecutor(kind)
    assert.ok(before > 0 && before < 100, `${kind} hit at ${before} %`)
    this.faults.push(`${kind} at ${before.toFixed(0)} %`)
  }

  async #hitExecutor(kind: 'kill' | 'pause'): Promise<void> {
    const n = this.#dice.between(0, this.#executors.length - 1)
    const executor = this.#executors[n]!
    if (this.#hasStopped(n)) return this.#start(n)
    if (kind === 'kill') {
      executor.process.kill('SIGKILL')
      assert.equal((await executor.result).exit, 'SIGKILL', executor.output)
      return this.#start(n)
    }
    executor.process.kill('SIGSTOP')
    await sleep(sessionMs + this.#dice.between(500, 3_000))
    executor.process.kill('SIGCONT')
  }

  /** An executor that stopped aloud is no target; what it said is kept. Any other ending is a failure. */
  #hasStopped(n: number): boolean {
    const { process: child, output } = this.#executors[n]!
    if (child.exitCode === null) return false
    this.#judge(n, child.exitCode, output)
    return true
  }

  async #killBroker(): Promise<void> {
    const { brokers } = this.#kafka
    const { partitions: places } = await this.#referee.describeTopic('copy')
    const broker = brokers.find(({ nodeId }) => nodeId === places[0]!.leader) ?? brokers[0]!
    await broker.kill9()
    await sleep(this.#dice.between(0, 2_000))
    await broker.restart({ withBrokers: brokers.length })
  }

  async #killCluster(): Promise<void> {
    const { brokers } = this.#kafka
    await Promise.all(brokers.map(broker => broker.kill9()))
    await sleep(this.#dice.between(0, 2_000))
    await Promise.all(brokers.map(broker => broker.restart({ withBrokers: brokers.length })))
  }

  async #killInTurn(): Promise<void> {
    const { brokers } = this.#kafka
    for (const broker of brokers) {
      await broker.kill9()
      await sleep(this.#dice.between(0, 1_000))
      await broker.restart({ withBrokers: brokers.length })
    }
  }

  /** False when an executor has stopped aloud before. */
  async #untilPercent(wanted: number): Promise<boolean> {
    const check = async () => {
      for (const [n, { process: child }] of this.#executors.entries()) {
        if (child.exitCode === 6) this.#judge(n, 6, this.#executors[n]!.output)
      }
      if (this.stops.length > 0) return 'stopped'
      return (await this.#percent()) >= wanted ? 'reached' : undefined
    }
    return (await eventually(`${wanted.toFixed(0)} % are restored`, check, { timeoutMs: 120_000 })) === 'reached'
  }

  async #percent(): Promise<number> {
    const offsets = await this.#referee.offsets('copy')
    const records = offsets.reduce((sum, { end }) => sum + Number(end), 0)
    return (records * 100) / this.#options.records
  }

  #judge(n: number, exit: number | string, output: string): void {
    if (this.#isOver) return
    if (exit === 0) {
      this.saidOk = true
      return
    }
    if (isUnheard(exit, output)) return
    assert.equal(exit, 6, `executor ${n} ended with ${exit}:\n${output.slice(-4_000)}`)
    assert.match(output, /TARGET_SPOILED: copy-\d is spoiled from offset \d+ on/, output.slice(-4_000))
    this.stops.push(/TARGET_SPOILED.*/.exec(output)![0])
  }
}
