/**
 * `make bench`: how fast a backup and a restore are and what they take: whole runs of the built program against a real broker
 * and a real S3 server on this machine. Writes bench/results/<date>.json and prints the table of the README.
 *
 *     make bench                                   all data sets, three runs each; the medians count
 *     make bench ARGS='--runs 1 --only 150B'
 *     make bench ARGS='--kafka-data-keep <binary>'   both programs in turn, where both can: not the encrypted set
 *     make bench ARGS='--kafka-data-keep <binary> --skip-own'
 */
import { Vitals } from '../src/observe/vitals.ts'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openKafka } from '../src/kafka/kafkajs/open.ts'
import { systemClock } from '../src/runtime/clock.ts'
import { systemRandom } from '../src/runtime/random.ts'
import { Kafka as Broker } from '../test/helpers/kafka-broker.ts'
import { S3Proxy } from '../test/helpers/s3proxy.ts'
import { consumerFloor, zstdFloor } from './floors.ts'
import { KafkaDataKeep } from './kafka-data-keep.ts'
import { load } from './load.ts'
import type { DataSet } from './load.ts'
import { machine } from './machine.ts'
import { runBackup, runRestore } from './scenarios.ts'
import type { BesideResult, RunResult } from './scenarios.ts'
import { columnsOf, comparisonOf, tableOf } from './table.ts'
import type { DataSetResult } from './table.ts'

const dataSets: readonly DataSet[] = [
  { name: '1 M × 1 KB', topic: 'bench-1kb', records: 1_000_000, valueBytes: 1000, partitions: 8 },
  {
    name: '1 M × 1 KB, encrypted',
    topic: 'bench-age',
    records: 1_000_000,
    valueBytes: 1000,
    partitions: 8,
    isEncrypted: true,
  },
  { name: '4 M × 150 B', topic: 'bench-150b', records: 4_000_000, valueBytes: 150, partitions: 8 },
]

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    /** Part of the full size, for trying the bench itself. */
    scale: { type: 'string', default: '1' },
    out: { type: 'string' },
    /** A program to measure in the same run, with what it calls topics-backup, topics-plan-restore and topics-restore. */
    'kafka-data-keep': { type: 'string' },
    'skip-own': { type: 'boolean', default: false },
  },
})
const binary = values['kafka-data-keep']
if (values['skip-own'] && binary === undefined) throw new Error('--skip-own needs --kafka-data-keep')
const runs = Number(values.runs)
const scale = Number(values.scale)

await using broker = await Broker.start({ heapMiB: 2048, properties: { 'log.segment.bytes': 256 * 1024 * 1024 } })
await using s3 = await S3Proxy.start({ provider: 'filesystem', buckets: ['bench'], heapMiB: 1024 })
const [host = '', port = ''] = broker.bootstrap.split(':')
await using kafka = openKafka(
  {
    bootstrapServers: [{ host, port: Number(port) }],
    clientId: 'bench',
    tls: null,
    sasl: null,
    bootstrapDeadlineMs: 15_000,
    deadlineMs: 60_000,
    poolBytes: 64 * 1024 * 1024,
  },
  {
    clock: systemClock,
    random: systemRandom,
    vitals: new Vitals(systemClock),
    log: { debug: () => undefined, info: () => undefined },
  },
)
const servers = { broker, s3, kafka }

const results: DataSetResult[] = []
const isWanted = ({ name, isEncrypted }: DataSet) =>
  name.replaceAll(' ', '').includes(values.only) && !(binary !== undefined && isEncrypted === true)
for (const full of dataSets.filter(isWanted)) {
  const data = { ...full, records: Math.round(full.records * scale) }
  console.log(`# ${data.name}: filling ${data.topic} with ${data.records} records`)
  const payloadBytes = await load(kafka, data)
  const floors = { consumer: consumerFloor(broker.bootstrap, data), zstd: zstdFloor(data) }
  console.log(
    `# floors: ConsumerPerformance ${Math.round(floors.consumer / 1000)} k records/s, zstd -1 ${floors.zstd.cpuSeconds.toFixed(2)} CPU s`,
  )
  const backups: RunResult[] = []
  const restores: RunResult[] = []
  const besideBackups: BesideResult[] = []
  const besideRestores: BesideResult[] = []
  const beside = binary === undefined ? undefined : new KafkaDataKeep(binary, servers, data)
  for (let run = 1; run <= runs; run++) {
    if (!values['skip-own']) backups.push(await runBackup(servers, data, run))
    if (beside !== undefined) besideBackups.push(await beside.backup(run))
  }
  for (let run = 1; run <= runs; run++) {
    if (!values['skip-own']) restores.push(await runRestore(servers, data, run, runs))
    if (beside !== undefined) besideRestores.push(await beside.restore(run, runs))
  }
  const kafkaDataKeep = columnsOf(besideBackups, besideRestores)
  const result: DataSetResult = {
    data,
    payloadBytes,
    floors,
    ...columnsOf(backups, restores),
    ...(kafkaDataKeep === undefined ? {} : { kafkaDataKeep }),
  }
  results.push(result)
  console.log(JSON.stringify(result))
}

const report = { at: new Date().toISOString(), machine: machine(), runs, results }
const out =
  values.out ??
  join(import.meta.dirname, 'results', `${report.at.slice(0, 10)}${binary === undefined ? '' : '-beside'}.json`)
mkdirSync(join(out, '..'), { recursive: true })
writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`)
console.log(
  `\n${[tableOf(results), ...comparisonOf(results)].join('\n')}\n${report.machine}; median of ${runs} runs, written to ${out}`,
)
