import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import type { RestoreFailpoint, RestoreHit } from '../helpers/restore-failpoints.ts'
import { RestoreStage, brokerVerb } from '../helpers/restore-failpoints.ts'
import { Dice } from '../helpers/seed.ts'
import { prepareServers } from '../servers/prepare.ts'
import { hitsTable } from './matrix-table.ts'
import { writeResults } from './write-results.ts'

/**
 * The failpoints of planner and executor: every verb of their ports × before and after × the first, second and last call ×
 * SIGKILL and SIGSTOP, with records that are 30 days old and a broker that forgets producers within a second. Each time another
 * one does the work, and the restored topic is compared with its source. Writes test/torture/results/restore-matrix.json.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    /** Hits beside each other. */
    lanes: { type: 'string', default: '2' },
    /** Only `command verb`s that hold this text. */
    only: { type: 'string', default: '' },
    minutes: { type: 'string', default: '600' },
  },
})

const startedAt = performance.now()
const version = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
prepareServers(line => console.log(line))
await using kafka = await Kafka.start({ properties: { 'producer.id.expiration.check.interval.ms': 1_000 } })
await using referee = Referee.start(kafka.bootstrap)
const folder = await mkdtemp(join(tmpdir(), 'maxbrod-matrix-'))
await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }

const dice = new Dice('restore matrix', values.seed)
const stage = await RestoreStage.open({ bootstrap: kafka.bootstrap, referee, folder, suffix: 'matrix', dice })
const failpoints = (await stage.failpoints()).filter(({ command, verb }) => `${command} ${verb}`.includes(values.only))
const queue = failpoints
  .map(failpoint => ({ failpoint, rank: dice.number() }))
  .sort((a, b) => a.rank - b.rank)
  .map(({ failpoint }) => failpoint)
console.log(
  `${queue.length} failpoints of ${new Set(queue.map(({ command, verb }) => `${command} ${verb}`)).size} verbs`,
)

const hits: RestoreHit[] = []
const alone = queue.filter(({ verb }) => verb === brokerVerb)
await run(
  queue.filter(({ verb }) => verb !== brokerVerb),
  Number(values.lanes),
)
await run(alone, 1)
console.log(tableNow().join('\n'))
if (hits.some(({ failure }) => failure !== undefined)) process.exitCode = 1

async function run(some: RestoreFailpoint[], lanes: number): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, () => runLane(some)))
}

async function runLane(left: RestoreFailpoint[]): Promise<void> {
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    if (performance.now() - startedAt > Number(values.minutes) * 60_000) return
    const hit = await stage.hit(next)
    hits.push(hit)
    if (hit.failure !== undefined) console.log(`${hit.fault}: ${hit.failure}`)
    writeResults('restore-matrix.json', { version, failpoints: failpoints.length, table: tableNow(), hits })
  }
}

function tableNow(): string[] {
  const failed = hits.filter(({ failure }) => failure !== undefined).length
  const last = `${hits.length} of ${failpoints.length} failpoints hit, ${hits.length - failed} topics restored exactly, ${failed} failed`
  return [...hitsTable(hits).split('\n'), last]
}
