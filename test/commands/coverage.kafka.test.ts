import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { test } from 'node:test'
import { runCli } from '../helpers/cli.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { runCommand } from '../helpers/in-process.ts'
import { storeOf, wholeFile } from '../helpers/sound-archive.ts'
import { openWorld } from '../helpers/world.ts'

interface Covered {
  readonly status: string
  readonly segments: readonly { readonly kind: string; readonly from: number; readonly to: number }[]
  readonly kafka: {
    readonly unprotected: number
    readonly unprotectedSeconds: number
    readonly headroomSeconds: number
  }
}

const minute = 60_000

test('coverage with a broker tells what is late from what a worker has in hand, how old it is, and when Kafka will delete it', async t => {
  await using world = await openWorld(t)
  const { referee, bootstrap, folder } = world
  const [topic, group] = [world.name('orders'), world.name('group')]
  await referee.createTopic(topic, { configs: { 'retention.ms': 120 * minute } })
  const write = (records: number, agoMinutes: number) =>
    referee.generate(topic, { partitions: 1, records, timestampFrom: Date.now() - agoMinutes * minute })
  const common = [`--bootstrap-server=${bootstrap}`, `--storage=file://${folder}/backup`, `--group-id=${group}`]
  const worker = [`--working-dir=${folder}/work`, '--metrics-port=0', '--flush-port=0', `--topics=${topic}`]
  await write(100, 60)
  assert.equal((await runCommand(['backup', '--once', ...worker, ...common])).exit, 0)
  const cover = async (exit: number) => {
    const result = await runCommand(['coverage', `--topics=${topic}`, ...common])
    assert.equal(result.exit, exit, result.stderr)
    const [one] = result.json['partitions'] as Covered[]
    return { ...one!, shown: one!.segments.map(({ kind, from, to }) => `${kind} ${from} ${to}`) }
  }
  const whole = await cover(0)
  assert.deepEqual([whole.status, whole.shown, whole.kafka.unprotected], ['OK', ['FOUND 0 100'], 0])

  await write(40, 50)
  await write(20, 1)
  const alone = await cover(0)
  assert.deepEqual([alone.status, alone.shown], ['WARNING', ['FOUND 0 100', 'LATE 100 160']])
  const { unprotected, unprotectedSeconds, headroomSeconds } = alone.kafka
  assert.equal(unprotected, 60)
  assert.ok(unprotectedSeconds >= 50 * 60 && headroomSeconds <= 70 * 60, JSON.stringify(alone.kafka))
  assert.ok(Math.abs(unprotectedSeconds + headroomSeconds - 120 * 60) <= 1, 'each is rounded')

  const out = `${folder}/report.html`
  assert.equal((await runCommand(['report', `--out=${out}`, `--topics=${topic}`, ...common])).exit, 0)
  const page = await readFile(out, 'utf8')
  assert.match(page, /<p class=lead>Protected up to \dh?\d+m\d\ds? ago · 60 offsets of 1 partitions are in Kafka only/)
  assert.match(page, /aria-label="FOUND 63%, LATE 38%"/)

  const member = await referee.openConsumer(group, [topic])
  const tended = await cover(0)
  assert.deepEqual([tended.status, tended.shown], ['WARNING', ['FOUND 0 100', 'LATE 100 140', 'UPLOADING 140 160']])
  await member.close()

  await referee.deleteRecords(topic, 0, 130)
  const { exit, stdout } = await runCli(['coverage', `--topics=${topic}`, ...common])
  assert.equal(exit, 4, stdout)
  assert.match(
    stdout,
    new RegExp(`^${topic}/0: LOST offsets 100 to 129: Kafka no longer has them, and no file does$`, 'm'),
  )
  assert.match(
    stdout,
    new RegExp(`^${topic}/0: LATE offsets 130 to 159: .* no worker of group ${group} is at work$`, 'm'),
  )
  assert.match(stdout, /unprotected +oldest +until it expires/)
  assert.match(stdout, /^FAILURE$/m)
})

test('a partition whose files were all removed is LOST with exit 4: the workers had committed them, and groups-backup saved that', async t => {
  await using world = await openWorld(t)
  const { referee, bootstrap, folder } = world
  const [topic, group] = [world.name('orders'), world.name('group')]
  await referee.createTopic(topic, { partitions: 2 })
  await referee.generate(topic, { partitions: 2, records: 100 })
  const ends = (await referee.read(topic)).map(({ end }) => end)
  const common = [`--bootstrap-server=${bootstrap}`, `--storage=file://${folder}/backup`]
  const worker = [`--group-id=${group}`, `--working-dir=${folder}/work`, '--metrics-port=0', '--flush-port=0']
  assert.equal((await runCommand(['backup', '--once', `--topics=${topic}`, ...worker, ...common])).exit, 0)
  const looking = ['groups-backup', '--once', `--groups=${group}`, '--metrics-port=0', ...common]
  assert.equal((await runCommand(looking)).exit, 0)
  await rm(`${folder}/backup/${topic}/1`, { recursive: true })
  const { exit, stdout } = await runCli(['coverage', `--topics=${topic}`, common[1]!])
  assert.equal(exit, 4, stdout)
  assert.match(
    stdout,
    new RegExp(`^${topic}/1: LOST offsets 0 to ${Number(ends[1]) - 1}: a worker had committed them`, 'm'),
  )
  assert.doesNotMatch(stdout, new RegExp(`^${topic}/0: LOST`, 'm'))
})

test('a report does not take another cluster for the one that is backed up, and says so', async t => {
  await using world = await openWorld(t)
  const { bootstrap, folder } = world
  const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
  await storeOf([await wholeFile(place, 0, 20)], openDirectoryStore(`${folder}/backup`))
  const out = `${folder}/report.html`
  const flags = [`--out=${out}`, `--bootstrap-server=${bootstrap}`, `--storage=file://${folder}/backup`]
  assert.equal((await runCommand(['report', ...flags])).exit, 0)
  const page = await readFile(out, 'utf8')
  assert.match(page, /<li>The cluster that was asked is not the one that is backed up here/)
  assert.doesNotMatch(page, /<th>unprotected|UPLOADING/)
})
