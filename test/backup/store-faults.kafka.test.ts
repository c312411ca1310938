import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ports } from '../../src/commands/ports.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { eventually } from '../helpers/eventually.ts'
import type { RunningCommand } from '../helpers/in-process.ts'
import { startCommand } from '../helpers/in-process.ts'
import { inProcessFaults } from '../helpers/in-process-faults.ts'
import { assertNoAlarm, logged } from '../helpers/log-lines.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import type { TestBucket } from '../helpers/shared-s3.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { partitionsOf, readBackup } from '../helpers/stored-backup.ts'
import { openWorld } from '../helpers/world.ts'
import type { World } from '../helpers/world.ts'

const tilePut = /^PUT .*\.avro/

suite('a worker whose store fails', { concurrency: 4 }, () => {
  test('a store that is busy for a while: nothing ends, nothing is committed, and when it is over all is there', t =>
    refusesForAWhile(t, s3ErrorAnswer(503, 'SlowDown')))

  test('a store that takes nothing: when a few files wait for it nothing more is read, until it takes them', async t => {
    await using scene = await openScene(t)
    scene.faults.rule(line => (tilePut.test(line) ? s3ErrorAnswer(503, 'SlowDown') : undefined))
    const fetches = inProcessFaults('kafka.fetch:before:*:note')
    const worker = scene.start([], fetches.ports)
    const isQuiet = async () => {
      await scene.produce()
      const before = fetches.fired().length
      await sleep(1_000)
      return before > 0 && fetches.fired().length === before
    }
    await eventually('nothing is read, although there is something new', isQuiet)
    scene.faults.rule(() => undefined)
    await scene.reachesEnds()
    assertNoAlarm(await scene.stopped(worker))
    await scene.assertSame()
  })

  test('credentials that have expired for a while: nothing ends, nothing is committed, and with new ones all is there', t =>
    refusesForAWhile(t, s3ErrorAnswer(403, 'ExpiredToken')))

  test('a store that takes 10 KB a second: the worker stays in its group, and the upload comes to its end', async t => {
    await using scene = await openScene(t, 110_000)
    const slow = { kind: 'slow upload', bytesPerSecond: 10_000 } as const
    scene.faults.order(tilePut, slow)
    const worker = scene.start(['--session-timeout=5s'])
    await scene.reachesEnds()
    const output = await scene.stopped(worker)
    assertNoAlarm(output)
    assert.equal(scene.faults.unused, 0)
    const slowest = Math.max(...logged(output, 'uploaded').map(line => line['bytes'] as number))
    assert.ok(slowest > 100_000, 'the upload outlasted two sessions')
    assert.equal(logged(output, 'joined the group').length, 1, 'one generation')
    await scene.assertSame()
  })

  for (const [what, alter] of [
    ['a store that cuts a file and says that it is stored', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    [
      'a store that loses the first half of a file and says that it is stored',
      (bytes: Buffer) => bytes.subarray(bytes.length / 2),
    ],
  ] as const) {
    test(`${what}: that partition stops before it, with its reason, and the others go on`, async t => {
      await using scene = await openScene(t)
      const lying = { kind: 'other server', handle: storing(scene.bucket, alter) } as const
      scene.faults.order(/^PUT .*\/1\/.*\.avro/, lying)
      const worker = scene.start()
      await eventually('the partition stops', () => /OBJECT_CORRUPT/.test(worker.output()))
      await eventually(
        'the others are committed',
        async () => (await scene.committed()).filter(offset => offset > 0).length === 2,
      )
      const output = await scene.stopped(worker)
      const [stopped, ...rest] = logged(output, `${scene.topic}-1 cannot be backed up any further; the others go on`)
      assert.match(JSON.stringify(stopped), /OBJECT_CORRUPT.*was stored a moment ago/)
      assert.deepEqual(rest, [])
      assert.equal((await scene.committed())[1], 0)
    })
  }

  test('a store that says it keeps other bytes than were sent: that partition stops before them, and the others go on', async t => {
    await using scene = await openScene(t)
    const other = Buffer.alloc(32).toString('base64')
    scene.faults.order(/^PUT .*\/1\/.*\.avro/, { kind: 'changed answer', headers: { 'x-amz-checksum-sha256': other } })
    const worker = scene.start()
    await eventually('the partition stops', () => /OBJECT_CORRUPT/.test(worker.output()))
    await eventually(
      'the others are committed',
      async () => (await scene.committed()).filter(offset => offset > 0).length === 2,
    )
    assert.match(await scene.stopped(worker), /the store says that it keeps other bytes than were sent/)
    assert.equal((await scene.committed())[1], 0)
  })

  test('answers that are damaged on their way: a worker looks again, goes on behind its files, and nobody is alarmed', async t => {
    await using scene = await openScene(t)
    const first = scene.start()
    await scene.reachesEnds()
    assertNoAlarm(await scene.stopped(first))
    // The magic of a container, and its schema.
    for (const atByte of [0, 100]) scene.faults.order(/^GET .*\.avro/, { kind: 'corrupt answer', atByte })
    await scene.produce()
    const second = scene.start()
    await scene.reachesEnds()
    assertNoAlarm(await scene.stopped(second))
    assert.equal(scene.faults.unused, 0)
    await scene.assertSame()
  })

  test('a store that creates what exists: the worker is refused with exit 2, and no file is put', async t => {
    await using scene = await openScene(t)
    scene.faults.order(/^PUT .*cluster\.json/, { kind: 'changed answer', headers: {} })
    scene.faults.order(/^PUT .*cluster\.json/, { kind: 'answer', status: 200, headers: { etag: '"1"' } })
    const { exit, stderr } = await scene.start().result
    assert.equal(exit, 2, stderr)
    assert.match(stderr, /STORAGE_UNCONDITIONAL/)
    assert.equal(scene.faults.unused, 0)
    assert.deepEqual(
      scene.faults.seen.filter(line => tilePut.test(line)),
      [],
    )
  })
})

async function refusesForAWhile(t: TestContext, answer: ReturnType<typeof s3ErrorAnswer>): Promise<void> {
  await using scene = await openScene(t)
  let refused = 0
  scene.faults.rule(line => (tilePut.test(line) ? ((refused += 1), answer) : undefined))
  const worker = scene.start()
  await eventually('uploads are refused', () => refused >= 12)
  assert.deepEqual(
    (await scene.committed()).filter(offset => offset > 0),
    [],
  )
  scene.faults.rule(() => undefined)
  await scene.reachesEnds()
  assertNoAlarm(await scene.stopped(worker))
  await scene.assertSame()
}

/** A topic of three partitions with something in it, and workers that reach their bucket through faults. */
async function openScene(t: TestContext, bytesOfFirst = 0): Promise<Scene> {
  const world = await openWorld(t)
  const bucket = await openBucket()
  const faults = await S3Faults.start(bucket.endpoint)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 3 })
  await world.referee.generate(topic, { partitions: 3, records: 1_500 })
  if (bytesOfFirst > 0) await world.referee.produce(topic, [{ value: world.dice.bytes(bytesOfFirst) }])
  return new Scene(world, bucket, faults, topic)
}

class Scene implements AsyncDisposable {
  readonly #world: World
  readonly bucket: TestBucket
  readonly faults: S3Faults
  readonly topic: string
  readonly #workers: RunningCommand[] = []

  constructor(world: World, bucket: TestBucket, faults: S3Faults, topic: string) {
    this.#world = world
    this.bucket = bucket
    this.faults = faults
    this.topic = topic
  }

  async produce(): Promise<void> {
    await this.#world.referee.generate(this.topic, { partitions: 3, records: 300 })
  }

  start(flags: readonly string[] = [], ports?: (real: Ports) => Ports): RunningCommand {
    const { bootstrap, folder } = this.#world
    const worker = startCommand(
      [
        'backup',
        `--topics=${this.topic}`,
        `--group-id=${this.topic}`,
        `--bootstrap-server=${bootstrap}`,
        `--storage=${this.bucket.url()}`,
        `--s3-endpoint=${this.faults.endpoint}`,
        `--working-dir=${folder}/worker`,
        '--max-file-age=200ms',
        '--metrics-port=0',
        '--flush-port=0',
        ...flags,
      ],
      ports,
    )
    this.#workers.push(worker)
    return worker
  }

  /** Ends a worker that must not have ended by itself, and gives what it has said. */
  async stopped(worker: RunningCommand): Promise<string> {
    worker.signal('SIGTERM')
    const { exit, stderr } = await worker.result
    assert.ok(exit === 0 || exit === 3, stderr)
    return worker.output()
  }

  /** By partition; 0 where nothing is. */
  async committed(): Promise<number[]> {
    const offsets = await this.#world.referee.groupOffsets(this.topic).catch(() => [])
    return [0, 1, 2].map(partition => Number(offsets.find(one => one.partition === partition)?.offset ?? 0))
  }

  async reachesEnds(): Promise<void> {
    const ends = (await this.#world.referee.offsets(this.topic)).map(({ end }) => Number(end))
    await eventually('all is committed', async () => assert.deepEqual(await this.committed(), ends) ?? true)
  }

  async assertSame(): Promise<void> {
    const read = await this.#world.referee.read(this.topic)
    const store = openS3Store(this.bucket.options)
    const stored = partitionsOf(await readBackup(store), this.topic)
    store.close()
    assert.deepEqual(
      stored.map(({ digest, to }) => ({ digest, to })),
      read.map(({ digest, end }) => ({ digest, to: Number(end) })),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.signal('SIGTERM')
    this.faults.rule(() => undefined)
    await Promise.all(this.#workers.map(({ result }) => result))
    await this.faults[Symbol.asyncDispose]()
    await this.bucket[Symbol.asyncDispose]()
    await this.#world[Symbol.asyncDispose]()
  }
}

/** Stores something else than it is given, under the same name and with the same facts, and says that all is well. */
function storing(bucket: TestBucket, alter: (bytes: Buffer) => Buffer) {
  return async (incoming: IncomingMessage) => {
    const key = decodeURIComponent(incoming.url!.split('?')[0]!.slice(`/${bucket.bucket}/`.length))
    const facts = Object.entries(incoming.headers)
      .filter(([name]) => name.startsWith('x-amz-meta-'))
      .map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)])
    const store = openS3Store(bucket.options)
    const put = await store.put(key, bodyOf(alter(await buffer(incoming))), Object.fromEntries(facts))
    store.close()
    assert.ok(put.created)
    return { kind: 'answer', status: 200, headers: { etag: put.etag } } as const
  }
}
