import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Ports } from '../../src/commands/ports.ts'
import { BatchBuilder } from '../../src/format/batch/batch-builder.ts'
import { writeInteger } from '../../src/format/batch/varint.ts'
import { SourceOffsetWriter } from '../../src/format/transcode/source-offset.ts'
import { lookAtGroups, lookAtPartitions } from '../../src/groups/look.ts'
import type { Kafka as KafkaPort } from '../../src/kafka/port.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { openClient } from '../helpers/kafka-client.ts'
import { Referee } from '../helpers/referee.ts'
import { Dice } from '../helpers/seed.ts'
import { prepareServers } from '../servers/prepare.ts'
import { writeResults } from './write-results.ts'

/**
 * `make scale-groups`: hundreds of groups that have committed in each partition of a topic, and millions of restored records. Says how
 * long a look at all of them takes, and how long it takes to translate and commit all offsets, in a target without gaps and in one
 * with a gap behind every tenth record. Fails when a limit is broken. Writes test/torture/results/scale-groups.json.
 */
const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '500' },
    partitions: { type: 'string', default: '20' },
    records: { type: 'string', default: '10000000' },
  },
})
const groups = Number(values.groups)
const partitions = Number(values.partitions)
const perPartition = Math.floor(Number(values.records) / partitions)
const LIMITS = { lookMs: 500, restoreMs: 2_000 }
const FIRST_SOURCE = 100_000_000
const BATCH_RECORDS = 5_000
const dice = new Dice('scale-groups')

prepareServers(line => console.log(line))
const folder = await mkdtemp(join(tmpdir(), 'maxbrod-scale-'))
await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
await using kafka = await Kafka.start({ heapMiB: 768, properties: { 'log.cleaner.enable': 'false' } })
await using referee = Referee.start(kafka.bootstrap)
await using client = openClient(kafka.bootstrap)

const figures: Record<string, number> = { groups, partitions, records: perPartition * partitions }
const note = (name: string, value: number) => console.log(`${name.padEnd(24)} ${(figures[name] = Math.round(value))}`)
const common = [`--bootstrap-server=${kafka.bootstrap}`, `--storage=file://${folder}/backup`, '--metrics-port=0']

const kinds = [
  { name: 'dense', sourceOf: (n: number) => FIRST_SOURCE + n },
  { name: 'gaps', sourceOf: (n: number) => FIRST_SOURCE + n + Math.floor(n / 10) },
] as const
for (const { name, sourceOf } of kinds) {
  await referee.createTopic(name, { partitions })
  await referee.createTopic(`copy.${name}`, { partitions })
  console.log(`writing ${perPartition * partitions} restored records into copy.${name}`)
  await writeRestored(client, `copy.${name}`, sourceOf)
  for (let n = 0; n < groups; n += 50) {
    const some = Array.from({ length: Math.min(50, groups - n) }, (_unused, k) => `${name}-${n + k}`)
    await Promise.all(
      some.map(group =>
        referee.commitOffsets(
          group,
          Array.from({ length: partitions }, (_unused, partition) => ({
            topic: name,
            partition,
            offset: dice.between(FIRST_SOURCE, sourceOf(perPartition - 1)),
          })),
        ),
      ),
    )
  }
  const looks: number[] = []
  for (let n = 0; n < 5; n++) {
    const startedAt = performance.now()
    const found = await lookAtGroups(client, group => group.startsWith(`${name}-`), new Map(), Date.now)
    await lookAtPartitions(client, found.topics, Date.now)
    looks.push(performance.now() - startedAt)
    assert.equal(found.groups.length, groups)
  }
  note(`${name}LookMs`, looks.toSorted((a, b) => a - b)[2] ?? 0)

  const backup = await runCommand(['groups-backup', '--once', `--groups=${name}-.*`, ...common])
  assert.equal(backup.exit, 0, backup.stderr)
  const counted = counting()
  const argv = ['groups-restore', '--execute', `--groups=${name}-.*`, '--target-prefix=copy.', '--group-prefix=r.']
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const restored = await runCommand([...argv, '--log-level=error', ...common], counted.ports)
  note(`${name}RestoreMs`, performance.now() - startedAt)
  const cpu = process.cpuUsage(cpuBefore)
  note(`${name}RestoreCpuMs`, (cpu.user + cpu.system) / 1_000)
  note(`${name}Reads`, counted.reads())
  note(`${name}CommitMs`, counted.commitMs())
  const verdicts = restored.json['verdicts'] as Record<string, number>
  console.log(verdicts)
  assert.equal(
    (verdicts['exact'] ?? 0) + (verdicts['next-after-gap'] ?? 0) + (verdicts['tip'] ?? 0),
    groups * partitions,
  )
  await check(restored.json['offsets'] as { saved: number; offset: number }[], sourceOf)
}
const isWithin = (figures['denseLookMs'] ?? 0) < LIMITS.lookMs && (figures['denseRestoreMs'] ?? 0) < LIMITS.restoreMs
// Wall time means little while others use the machine: CPU milliseconds do.
writeResults('scale-groups.json', { limits: LIMITS, isWithin, loadAverage: Math.round(loadavg()[0] ?? 0), figures })
process.exitCode = isWithin ? 0 : 1

/** Every answer against arithmetic. */
async function check(offsets: readonly { saved: number; offset: number }[], sourceOf: (n: number) => number) {
  for (const { saved, offset } of offsets) {
    assert.ok(sourceOf(offset) >= saved, `${saved} → ${offset}`)
    assert.ok(offset === 0 || sourceOf(offset - 1) < saved, `${saved} → ${offset} is not the first one`)
  }
}

/** Counts reads, and the time from the first commit to the last. */
function counting() {
  let reads = 0
  let first = 0
  let last = 0
  const ports = (real: Ports): Ports => ({
    ...real,
    async openKafka(options, tools) {
      const opened = await real.openKafka(options, tools)
      return {
        ...opened,
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
        readSourceOffsets(...args) {
          reads++
          return opened.readSourceOffsets(...args)
        },
        admin: {
          ...opened.admin,
          async commitFromOutside(...args) {
            first ||= performance.now()
            const answer = await opened.admin.commitFromOutside(...args)
            last = performance.now()
            return answer
          },
        },
      }
    },
  })
  return { ports, reads: () => reads, commitMs: () => last - first }
}

async function writeRestored(port: KafkaPort, topic: string, sourceOf: (n: number) => number): Promise<void> {
  await port.admin.topics([topic])
  using appender = port.newAppender()
  const writer = new SourceOffsetWriter()
  const pool = new BufferPool(8 * 1024 * 1024)
  const value = Buffer.alloc(20, 'x')
  const write = async (partition: number) => {
    for (let n = 0; n < perPartition; n += BATCH_RECORDS) {
      const builder = new BatchBuilder(pool, BATCH_RECORDS * 80)
      for (let k = n; k < Math.min(perPartition, n + BATCH_RECORDS); k++) {
        const bytes = writer.set(sourceOf(k))
        let at = builder.begin(Date.now(), 1 + 1 + value.length + 1 + bytes)
        at = writeInteger(builder.bytes, at, -1) // no key
        at = writeInteger(builder.bytes, at, value.length)
        at += value.copy(builder.bytes, at)
        at = writeInteger(builder.bytes, at, 1) // headers
        builder.length = writer.write(builder.bytes, at)
      }
      const batch = await builder.finish('none', { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      // A topic that was just created may not be led yet.
      await eventually('the batch is taken', async () => {
        const answer = await appender.append({ topic, partition, batch, mayWrite: () => true })
        return answer.kind === 'acknowledged'
      })
      builder.release()
    }
  }
  await Promise.all(Array.from({ length: partitions }, (_unused, partition) => write(partition)))
}
