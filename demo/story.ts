import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { formatBytes } from '../src/config/units.ts'
import { table } from '../src/observe/table.ts'
import { Kafka } from '../test/helpers/kafka-broker.ts'
import { eventually } from '../test/helpers/eventually.ts'
import { Referee } from '../test/helpers/referee.ts'
import { Fleet } from './fleet.ts'
import { loadTopic } from './load.ts'
import type { Produced } from './load.ts'
import { Stage } from './stage.ts'
import { demoTopics } from './tables.ts'
import { withProgress } from './watch.ts'

const EXECUTORS = [1, 2, 3]
const VICTIM = 2
/** How much of the records must be there when an executor is killed, and when it is started again. */
const KILL_AT = 0.35
const RESTART_AT = 0.5
const SETTINGS = { rate: '400KiB', sessionTimeout: '6s', fileSize: '128KiB' }

/** Tells it on standard output; false when a record is not what it was. */
export async function tellStory(folder: string): Promise<boolean> {
  using stage = new Stage(folder)
  stage.chapter('Apache Kafka 4.1.1 starts')
  await using kafka = await Kafka.start()
  await using referee = Referee.start(kafka.bootstrap)
  const common = ['--bootstrap-server', kafka.bootstrap, '--storage', `file://${join(folder, 'backup')}`]

  stage.chapter('real data goes into topics, by Kafka’s own Java producer')
  const produced: Produced[] = []
  for (const topic of demoTopics()) {
    using _ = stage.watch(topic.name, sum(topic.sends.map(({ records }) => records.length)))
    produced.push(await loadTopic(referee, topic))
  }
  const total = sum(produced.map(({ records }) => records))
  const aborted = sum(produced.map(topic => topic.aborted))
  stage.say(`${total} records, and ${aborted} of aborted transactions that nobody must see again`)

  stage.chapter('back them up into a folder')
  await stage.maxbrod(['backup', '--once', '--min-file-size', SETTINGS.fileSize, ...common])
  stage.say(describeFolder(join(folder, 'backup')))

  stage.chapter('the disaster: all topics are deleted')
  for (const { topic } of produced) await referee.deleteTopic(topic)
  await eventually('the topics are gone', () => areGone(referee, produced))

  stage.chapter('plan the restore')
  await stage.maxbrod(['plan', '--create-topics', '--plan-topic', 'plan', ...common])

  stage.chapter(
    `restore with ${EXECUTORS.length} executors, slowed down to ${SETTINGS.rate}/s each so that it can be watched`,
  )
  const flags = ['--exit-when-done', '--max-rate', SETTINGS.rate, '--session-timeout', SETTINGS.sessionTimeout]
  const args = ['restore', '--plan-topic', 'plan', ...flags, '--metrics-port', '0', '-o', 'json', ...common]
  const fleet = new Fleet(args, folder)
  stage.command(args)
  for (const n of EXECUTORS) fleet.start(n)
  let sent: ReadonlyMap<number, number> = new Map()
  await withProgress(stage, referee, produced, async reached => {
    await reached(KILL_AT)
    await fleet.kill9(VICTIM)
    stage.say(`executor ${VICTIM} got a SIGKILL`)
    await reached(RESTART_AT)
    fleet.start(VICTIM)
    stage.say(`executor ${VICTIM} is started again`)
    sent = await fleet.recordsSent()
  })

  for (const [n, records] of sent)
    stage.say(`executor ${n} sent ${records} records${n === VICTIM ? ', beside those before the kill' : ''}`)

  stage.chapter('compare offset, timestamp, key, value and headers of every record with what was produced')
  const rows = await Promise.all(produced.map(topic => compare(referee, topic)))
  stage.say(table(['topic', 'partitions', 'records', 'tombstones', 'aborted', 'restored', 'result'], rows).trimEnd())
  const isWhole = rows.every(row => row.at(-1) === 'identical')
  stage.end(isWhole ? `all ${total} records are back, once each and in order` : 'RECORDS DIFFER')
  return isWhole
}

type Row = [
  topic: string,
  partitions: number,
  records: number,
  tombstones: number,
  aborted: number,
  restored: number,
  result: string,
]

async function compare(referee: Referee, produced: Produced): Promise<Row> {
  const { topic, partitions, records, tombstones, aborted } = produced
  const read = await referee.read(topic, { restored: true })
  const isSame = partitions.every(({ records: count, digest }, partition) => {
    const found = read.find(one => one.partition === partition)
    return found?.records === count && found.digest === digest && (found.strays ?? 0) === 0
  })
  const restored = sum(read.map(found => found.records))
  return [topic, partitions.length, records, tombstones, aborted, restored, isSame ? 'identical' : 'DIFFERENT']
}

function describeFolder(folder: string): string {
  const files = globSync('**/*.avro', { cwd: folder }).map(file => statSync(join(folder, file)).size)
  return `${files.length} Avro files, ${formatBytes(sum(files))}`
}

async function areGone(referee: Referee, produced: readonly Produced[]): Promise<boolean> {
  const gone = produced.map(({ topic }) =>
    referee.describeTopic(topic).then(
      () => false,
      () => true,
    ),
  )
  return (await Promise.all(gone)).every(Boolean)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
