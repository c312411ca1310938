import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { restoreUnderFire } from '../helpers/restore-under-fire.ts'
import { prepareServers } from '../servers/prepare.ts'
import { writeResults } from './write-results.ts'

/**
 * `make torture-kills`: one restore of half a million old records by three executors, throttled so that it outlasts a hundred
 * SIGKILLs. Writes test/torture/results/restore-kills.json; anything but one copy of each record, in order, fails it.
 */
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '500000' },
    kills: { type: 'string', default: '100' },
    /** Of each executor. */
    rate: { type: 'string', default: '60KiB' },
    seed: { type: 'string', default: '1' },
  },
})

prepareServers(line => console.log(line))
const version = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
const asked = { records: Number(values.records), executors: 3, kills: Number(values.kills), seed: values.seed }
const report = await restoreUnderFire({
  name: 'a hundred kills',
  brokers: 1,
  pauses: 0,
  brokerKills: 0,
  maxRate: values.rate,
  say: line => console.log(line),
  ...asked,
})
writeResults('restore-kills.json', { version, ...asked, ...report })
if (report.outcome !== 'exactly once') process.exitCode = 1
