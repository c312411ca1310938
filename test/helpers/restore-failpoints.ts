import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodePlanEntry } from '../../src/format/plan-records.ts'
import { PRODUCER_EXPIRATION } from '../../src/format/hold.ts'
import type { PlanFile } from '../../src/format/plan.ts'
import { eventually } from './eventually.ts'
import { knownVerbs } from './faulty-ports.ts'
import { FaultyCli } from './faulty-process.ts'
import type { CommandResult, RunningCommand } from './in-process.ts'
import { runCommand, startCommand } from './in-process.ts'
import { openClient } from './kafka-client.ts'
import { assertNoAlarm } from './log-lines.ts'
import type { Referee } from './referee.ts'
import type { PartitionRead } from './referee-types.ts'
import type { Dice } from './seed.ts'

/** One moment at which a planner or an executor is hit, and how. */
export interface RestoreFailpoint {
  readonly command: 'plan' | 'restore'
  readonly verb: string
  readonly when: 'before' | 'after'
  readonly call: number
  /** `stop` is a SIGSTOP, while which another one does all the work, and then a SIGCONT. */
  readonly effect: 'kill' | 'stop'
}

export interface RestoreHit {
  /** With the command before it. */
  readonly fault: string
  /** Undefined when it did what it should; else what was wrong. */
  readonly failure: string | undefined
  readonly seconds: number
}

export interface StageOptions {
  readonly bootstrap: string
  readonly referee: Referee
  readonly folder: string
  /** Behind every name. */
  readonly suffix: string
  readonly dice: Dice
}

const partitions = 3
const filesEach = 3
const thirtyDaysMs = 30 * 24 * 3_600_000
const patience = { timeoutMs: 120_000 }
/** Sets something for the whole cluster: such a failpoint has to be hit alone. */
export const brokerVerb = 'admin.alterBrokerDefaults'
/** Highest call that is hit as the last one: some verbs are called again and again while somebody waits. */
const lastCall = 25

/** A backup of old records in a folder, that is planned and restored again and again, each time into another topic. */
export class RestoreStage {
  readonly #options: StageOptions
  readonly #topic: string
  #source: readonly PartitionRead[] = []
  #files: readonly string[] = []
  #rounds = 0

  private constructor(options: StageOptions) {
    this.#options = options
    this.#topic = `orders-${options.suffix}`
  }

  static async open(options: StageOptions): Promise<RestoreStage> {
    const stage = new RestoreStage(options)
    const { referee, folder, suffix, dice } = options
    const topic = stage.#topic
    await referee.createTopic(topic, { partitions })
    const worker = [`--group-id=b-${suffix}`, `--working-dir=${folder}/work`, '--metrics-port=0', '--flush-port=0']
    for (let file = 0; file < filesEach; file++) {
      await referee.generate(topic, {
        partitions,
        records: 800,
        valueBytes: [60, 140],
        headers: [0, 2],
        seed: dice.between(1, 1_000_000),
        timestampFrom: Date.now() - thirtyDaysMs,
      })
      // Copies get the same: small batches, many moments at which something can happen.
      if (file === filesEach - 1) await referee.alterConfigs({ topic }, { set: { 'max.message.bytes': '8192' } })
      await succeed(['backup', '--once', `--topics=${topic}`, ...worker, ...stage.#common])
    }
    stage.#source = await referee.read(topic)
    return stage
  }

  /** Which verbs a planner and an executor call, and how often: what can be hit. */
  async failpoints(): Promise<RestoreFailpoint[]> {
    const round = this.#newRound()
    const notes = knownVerbs.map(verb => `${verb}:before:*:note`)
    const found: RestoreFailpoint[] = []
    for (const command of ['plan', 'restore'] as const) {
      const golden = new FaultyCli(round[command], notes)
      assert.equal((await golden.result).exit, 0, golden.output)
      for (const verb of knownVerbs) {
        const calls = golden.fired.filter(fault => fault === `${verb}:before:*:note`).length
        // Partitions are only taken away when somebody else comes.
        const isHit = calls > 0 || (command === 'restore' && verb === 'kafka.revoked')
        if (isHit) found.push(...failpointsOf(command, verb, Math.max(1, calls)))
      }
    }
    this.#files = await this.#planned(round.planTopic)
    assert.equal(this.#files.length, filesEach * partitions)
    return found
  }

  /** One after the other; each ends with a restored topic that is compared with its source. */
  async hit(failpoint: RestoreFailpoint): Promise<RestoreHit> {
    const startedAt = performance.now()
    const failure = await this.#hit(failpoint).then(() => undefined, messageOf)
    const seconds = Math.round(performance.now() - startedAt) / 1_000
    return { fault: `${failpoint.command} ${faultOf(failpoint)}`, failure, seconds }
  }

  async #hit(failpoint: RestoreFailpoint): Promise<void> {
    const round = this.#newRound()
    if (failpoint.verb === brokerVerb) await this.#forgetBrokers()
    if (failpoint.command === 'plan') {
      await this.#hitOne(failpoint, round.plan)
      if (this.#files.length > 0) assert.deepEqual(await this.#planned(round.planTopic), this.#files)
      await succeed(round.restore)
    } else {
      await succeed(round.plan)
      await this.#hitOne(failpoint, round.restore)
    }
    const copy = await this.#options.referee.read(round.target, { restored: true })
    const comparable = ({ partition, records, digest }: PartitionRead) => ({ partition, records, digest })
    assert.deepEqual(copy.map(comparable), this.#source.map(comparable))
    assert.ok(copy.every(({ strays }) => strays === 0))
  }

  /** Hits one process, has another one do the same work meanwhile, and lets the first one go on if it still can. */
  async #hitOne(failpoint: RestoreFailpoint, argv: readonly string[]): Promise<void> {
    const fault = faultOf(failpoint)
    const isShared = failpoint.verb === 'kafka.revoked'
    const one = new FaultyCli(isShared ? [...argv, '--max-rate=60KiB'] : argv, [fault])
    const isOver = () => one.process.exitCode !== null || one.process.signalCode !== null
    try {
      let other: RunningCommand | undefined
      if (isShared) {
        await eventually('it works', () => isOver() || one.output.includes('"leads":true'), patience)
        await sleep(500)
        other = startCommand(argv)
      }
      await eventually(`${fault} fires`, () => one.fired.includes(fault) || isOver(), patience)
      one.assertAllFired()
      if (failpoint.effect === 'kill') assert.equal((await one.result).exit, 'SIGKILL', one.output.slice(-4_000))
      other ??= startCommand(argv)
      assertDone(await other.result)
      if (failpoint.effect === 'kill') return
      one.process.kill('SIGCONT')
      await eventually('it ends', isOver, patience)
      assert.equal((await one.result).exit, 0, one.output.slice(-4_000))
      assertNoAlarm(one.output)
    } finally {
      one.process.kill('SIGKILL')
      await one.result
    }
  }

  /** What the first planner has set for all brokers is there already when the next one comes. */
  async #forgetBrokers(): Promise<void> {
    await using kafka = openClient(this.#options.bootstrap)
    await kafka.admin.alterBrokerDefaults(new Map([[PRODUCER_EXPIRATION.name, null]]))
    const isDefault = async () =>
      (await kafka.admin.brokerConfigs()).every(
        ({ name, value }) => name !== PRODUCER_EXPIRATION.name || value !== PRODUCER_EXPIRATION.value,
      )
    await eventually('the brokers have their own default', isDefault, patience)
  }

  get #common(): string[] {
    const { bootstrap, folder } = this.#options
    return [`--bootstrap-server=${bootstrap}`, `--storage=file://${folder}/backup`]
  }

  #newRound() {
    const n = this.#rounds++
    const planTopic = `plan-${this.#options.suffix}-${n}`
    const prefix = `r${n}.`
    const own = [`--plan-topic=${planTopic}`, ...this.#common]
    const executor = ['--exit-when-done', '--metrics-port=0', '--session-timeout=3s', '--memory=32MiB']
    return {
      planTopic,
      target: `${prefix}${this.#topic}`,
      plan: ['plan', '--create-topics', `--target-prefix=${prefix}`, '--plan-partitions=3', ...own],
      restore: ['restore', ...executor, ...own],
    }
  }

  /** The files of a plan in their order, chain by chain; throws for one that is there twice or not closed. */
  async #planned(planTopic: string): Promise<string[]> {
    await using kafka = openClient(this.#options.bootstrap)
    const files: PlanFile[] = []
    const { signal } = new AbortController()
    for (let partition = 0; partition < partitions; partition++) {
      const where = { topic: planTopic, partition }
      const end = (await kafka.admin.offsets('high watermark', [where])).offsets.get(where) ?? 0
      let last: string | undefined
      for await (const { value } of kafka.readRecords(where, 0, end, signal)) {
        const entry = decodePlanEntry(value)
        if (entry.kind === 'file') files.push(entry)
        last = entry.kind === 'head' ? last : entry.kind
      }
      assert.equal(last, 'end', `${planTopic}-${partition} is not closed`)
    }
    return files
      .toSorted((a, b) => a.target.partition - b.target.partition || a.index - b.index)
      .map(file => `${file.index} ${file.object.key} ${file.recordsBefore} ${file.records}`)
  }
}

/** Each verb × before and after × the first, second and last call × SIGKILL and SIGSTOP. */
function failpointsOf(command: RestoreFailpoint['command'], verb: string, calls: number): RestoreFailpoint[] {
  const last = Math.min(calls, lastCall)
  return [...new Set([1, Math.min(2, last), last])].flatMap(call =>
    (['before', 'after'] as const).flatMap(when =>
      (['kill', 'stop'] as const).map(effect => ({ command, verb, when, call, effect })),
    ),
  )
}

function faultOf({ verb, when, call, effect }: RestoreFailpoint): string {
  return `${verb}:${when}:${call}:${effect}`
}

async function succeed(argv: readonly string[]): Promise<void> {
  assertDone(await runCommand(argv))
}

function assertDone({ exit, json, stderr }: CommandResult): void {
  assert.equal(exit, 0, stderr.slice(-4_000))
  assert.equal(json['result'], 'ok')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
