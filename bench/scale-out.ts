/**
 * `make bench-scale-out`: the same restore of four partitions by one executor and by two that start together. Once as fast as
 * they can, where all share the machine with the broker and the store, and once with a `--max-rate` that leaves cores free:
 * that shows whether the work is shared out. Writes bench/results/scale-out.json.
 */
import { Vitals } from '../src/observe/vitals.ts'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chainName } from '../src/format/plan.ts'
import { planPartitionOf } from '../src/format/plan-partition.ts'
import { openKafka } from '../src/kafka/kafkajs/open.ts'
import { table } from '../src/observe/table.ts'
import { systemClock } from '../src/runtime/clock.ts'
import { systemRandom } from '../src/runtime/random.ts'
import { Kafka as Broker } from '../test/helpers/kafka-broker.ts'
import { S3Proxy } from '../test/helpers/s3proxy.ts'
import { load } from './load.ts'
import { machine } from './machine.ts'
import { maxbrod, runBackup, where } from './scenarios.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '600000' },
    /** Of each executor, in the throttled pair: bytes of uncompressed batches. */
    rate: { type: 'string', default: '12MiB' },
    runs: { type: 'string', default: '3' },
  },
})

interface Shared {
  readonly executors: number
  readonly rate: string | undefined
  readonly seconds: number
  readonly recordsPerSecond: number
  /** Of each executor. */
  readonly cpuSeconds: readonly number[]
  readonly recordsSent: readonly number[]
}

const data = { name: '1 KB', topic: 'bench-scale', records: Number(values.records), valueBytes: 1000, partitions: 4 }
await using broker = await Broker.start({ heapMiB: 2048, properties: { 'log.segment.bytes': 256 * 1024 * 1024 } })
await using s3 = await S3Proxy.start({ provider: 'filesystem', buckets: ['bench'], heapMiB: 1024 })
const [host = '', port = ''] = broker.bootstrap.split(':')
const timeouts = { bootstrapDeadlineMs: 15_000, deadlineMs: 60_000, poolBytes: 64 * 1024 * 1024 }
await using kafka = openKafka(
  { bootstrapServers: [{ host, port: Number(port) }], clientId: 'bench', tls: null, sasl: null, ...timeouts },
  {
    clock: systemClock,
    random: systemRandom,
    vitals: new Vitals(systemClock),
    log: { debug: () => undefined, info: () => undefined },
  },
)
const servers = { broker, s3, kafka }
await load(kafka, data)
await runBackup(servers, data, 1)

const all: Shared[] = []
for (let run = 1; run <= Number(values.runs); run++) {
  for (const rate of [undefined, values.rate])
    for (const executors of [1, 2]) all.push(await restoreBy(executors, rate, `${run}-${rate ?? 'free'}-${executors}`))
}
const pairs = [undefined, values.rate].map(rate => ({ rate, one: medianOf(1, rate), two: medianOf(2, rate) }))
const rows = pairs.map(({ rate, one, two }) => [
  rate ?? 'as fast as it can',
  Math.round(one.recordsPerSecond),
  Math.round(two.recordsPerSecond),
  (two.recordsPerSecond / one.recordsPerSecond).toFixed(2),
  sum(one.cpuSeconds).toFixed(1),
  two.cpuSeconds.map(seconds => seconds.toFixed(1)).join(' + '),
])
const text = table(['each executor', '1: records/s', '2: records/s', 'ratio', '1: CPU s', '2: CPU s'], rows)
console.log(
  `\n${text}${machine()}; ${cpus().length} cores for broker, store and executors; median of ${values.runs} runs`,
)
const out = join(import.meta.dirname, 'results', 'scale-out.json')
mkdirSync(join(out, '..'), { recursive: true })
const report = { at: new Date().toISOString(), machine: machine(), data, table: text.split('\n'), runs: all }
writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`)

async function restoreBy(executors: number, rate: string | undefined, name: string): Promise<Shared> {
  const planTopic = `plan-${name}`
  const storage = where(servers, data, 1)
  const target = evenTarget(name)
  const naming = ['--plan-topic', planTopic, '--rename', `${data.topic}=${target}`, '--plan-partitions', '2']
  await maxbrod(servers, ['plan', '--create-topics', ...naming, ...storage])
  const throttle = rate === undefined ? [] : ['--max-rate', rate]
  const executor = ['restore', '--exit-when-done', '--plan-topic', planTopic, '--metrics-port', '0', ...throttle]
  const measured = await Promise.all(
    Array.from({ length: executors }, () => maxbrod(servers, [...executor, ...storage])),
  )
  const seconds = Math.max(...measured.map(({ wallSeconds }) => wallSeconds))
  const results = measured.map(({ stdout }) => JSON.parse(stdout) as { recordsSent: number })
  const recordsSent = results.map(result => result.recordsSent)
  if (sum(recordsSent) !== data.records) throw new Error(`${recordsSent.join(' + ')} of ${data.records} were sent`)
  const shared = {
    executors,
    rate,
    seconds,
    recordsPerSecond: data.records / seconds,
    cpuSeconds: measured.map(({ cpuSeconds }) => cpuSeconds),
    recordsSent,
  }
  console.log(JSON.stringify(shared))
  return shared
}

/** Which plan partition a target partition belongs to follows from its name: one whose four are shared out two and two. */
function evenTarget(name: string): string {
  for (let n = 0; ; n++) {
    const topic = `${data.topic}-${name}-${n}`
    const first = [0, 1, 2, 3].filter(partition => planPartitionOf(chainName({ topic, partition }), 2) === 0)
    if (first.length === 2) return topic
  }
}

function medianOf(executors: number, rate: string | undefined): Shared {
  const own = all.filter(one => one.executors === executors && one.rate === rate)
  const sorted = own.toSorted((a, b) => a.seconds - b.seconds)
  return sorted[Math.floor(sorted.length / 2)]!
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
