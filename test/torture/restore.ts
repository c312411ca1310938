import { parseArgs } from 'node:util'
import { restoreUnderFire } from '../helpers/restore-under-fire.ts'
import type { FireReport } from '../helpers/restore-under-fire.ts'
import { prepareServers } from '../servers/prepare.ts'
import { writeResults } from './write-results.ts'

/**
 * `make torture-restore`: the restore of test/system/restore-under-fire.test.ts with many seeds, on one broker and on three.
 * Writes what happened to test/torture/results/restore-<n>-brokers.json; a run that is neither exact nor aloud fails it.
 */
const { values } = parseArgs({
  options: {
    /** How many seeds for each number of brokers. */
    seeds: { type: 'string', default: '5' },
    first: { type: 'string', default: '1' },
    brokers: { type: 'string', multiple: true, default: ['1', '3'] },
  },
})

interface Run extends Partial<FireReport> {
  readonly brokers: number
  readonly seed: string
  readonly failure?: string
}

const shapes = {
  1: { brokers: 1, kills: 10, pauses: 2, brokerKills: 1 },
  // With four of its leader alone, and of the whole cluster: at once, and one after the other.
  3: { brokers: 3, kills: 6, pauses: 1, brokerKills: 4, clusterKills: 2, rollingKills: 1 },
} as const

const all: Run[] = []

prepareServers(line => console.log(line))
const chosen = [shapes[1], shapes[3]].filter(({ brokers }) => values.brokers.includes(`${brokers}`))
for (const shape of chosen) {
  const runs: Run[] = []
  for (let n = Number(values.first); n < Number(values.first) + Number(values.seeds); n++) {
    const run = await runOnce(shape, `${n}`)
    runs.push(run)
    save(shape.brokers, runs)
    if (run.failure !== undefined) process.exitCode = 1
  }
  all.push(...runs)
}
const count = (outcome: string) => all.filter(run => run.outcome === outcome).length
const failed = all.filter(({ failure }) => failure !== undefined).length
console.log(`${count('exactly once')} exactly once, ${count('stopped aloud')} stopped aloud, ${failed} failed`)

async function runOnce(shape: (typeof shapes)[1 | 3], seed: string): Promise<Run> {
  const { brokers } = shape
  const options = { name: `torture ${brokers}`, records: 100_000, executors: 3, maxRate: '100KiB', ...shape, seed }
  try {
    const say = (line: string) => console.log(`${brokers} broker${brokers > 1 ? 's' : ''}, ${line}`)
    return { brokers, seed, ...(await restoreUnderFire({ ...options, say })) }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(`${brokers} brokers, seed ${seed}: FAILED\n${failure}`)
    return { brokers, seed, failure }
  }
}

function save(brokers: number, runs: readonly Run[]): void {
  writeResults(`restore-${brokers}-broker${brokers > 1 ? 's' : ''}.json`, { runs })
}
