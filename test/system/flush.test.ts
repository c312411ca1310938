import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Cli, runCli } from '../helpers/cli.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand } from '../helpers/in-process.ts'
import { freePorts } from '../helpers/ports.ts'
import { openWorld } from '../helpers/world.ts'

interface FlushResult {
  readonly result: string
  readonly files: readonly { topic: string; partition: number; key: string; records: number; bytes: number }[]
  readonly left: readonly unknown[]
}

/** A worker that would keep what it reads for an hour. */
async function openScene(t: TestContext) {
  const stack = new AsyncDisposableStack()
  const world = stack.use(await openWorld(t))
  const [port = 0] = await freePorts(1)
  const topic = world.name('orders')
  const group = world.name('group')
  await world.referee.createTopic(topic, { partitions: 3 })
  const storage = [`--storage=file://${world.folder}/backup`, `--bootstrap-server=${world.bootstrap}`]
  const own = [`--topics=${topic}`, `--group-id=${group}`, `--working-dir=${world.folder}/work`]
  const limits = ['--max-file-age=1h', '--min-file-size=1GiB', `--flush-port=${port}`, '--metrics-port=0']
  const worker = new Cli(['backup', ...own, ...limits, ...storage])
  stack.defer(async () => {
    worker.process.kill('SIGKILL')
    await worker.result
  })
  await eventually('the worker runs', () => worker.output.includes('"backing up"'))
  const committed = async () => {
    const offsets = await world.referee.groupOffsets(group)
    return offsets.reduce((sum, { offset }) => sum + Number(offset), 0)
  }
  const flush = async (...flags: string[]) => {
    const { exit, stdout, stderr } = await runCli(['flush', `--flush-port=${port}`, '-o', 'json', ...flags])
    assert.equal(exit, 0, stderr)
    return JSON.parse(stdout) as FlushResult
  }
  return { world, topic, port, worker, storage, committed, flush, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('maxbrod flush answers when all that was read is durable and committed, and names the files', async t => {
  await using scene = await openScene(t)
  const { world, topic, committed, flush } = scene
  await world.referee.generate(topic, { partitions: 3, records: 3_000 })
  const files: FlushResult['files'][number][] = []
  await eventually('all records are flushed', async () => {
    const { result, files: more, left } = await flush()
    assert.deepEqual([result, left], ['ok', []])
    files.push(...more)
    const records = files.reduce((sum, file) => sum + file.records, 0)
    // What an answer names is committed by then, not later.
    assert.equal(await committed(), records)
    return records === 3_000
  })
  for (const { key } of files) await access(join(world.folder, 'backup', key))
  assert.deepEqual((await flush()).files, [])
})

test('SIGUSR1 flushes as well, and --no-wait only asks', async t => {
  await using scene = await openScene(t)
  const { world, topic, worker, committed, flush } = scene
  await world.referee.generate(topic, { partitions: 3, records: 300 })
  await eventually('all records are flushed', async () => {
    worker.process.kill('SIGUSR1')
    return (await committed()) === 300
  })
  assert.match(worker.output, /"message":"flushed"/)
  await world.referee.generate(topic, { partitions: 3, records: 300 })
  await eventually('all records are flushed', async () => {
    await flush('--no-wait')
    return (await committed()) === 600
  })
})

test('hundreds of requests under load, half of them called off, leave a backup without a hole', async t => {
  await using scene = await openScene(t)
  const { world, topic, port, storage, committed, worker } = scene
  const over = new AbortController()
  let answered = 0
  let calledOff = 0
  const ask = async (mustCallOff: boolean) => {
    const signal = AbortSignal.timeout(mustCallOff ? 20 : 300_000)
    try {
      const { status } = await fetch(`http://127.0.0.1:${port}/__/flush`, { method: 'POST', signal })
      assert.equal(status, 200)
      answered++
    } catch (error) {
      assert.ok(mustCallOff, String(error))
      calledOff++
    }
  }
  const asking = Array.from({ length: 20 }, async (_, n) => {
    while (!over.signal.aborted) await ask(n % 2 === 0)
  })
  for (let round = 0; round < 4; round++) await world.referee.generate(topic, { partitions: 3, records: 5_000 })
  await eventually('all records are flushed', async () => (await committed()) === 20_000)
  over.abort()
  await Promise.all(asking)
  assert.ok(answered > 0 && calledOff > 100, `${answered} answered, ${calledOff} called off`)
  worker.process.kill('SIGTERM')
  assert.equal((await worker.result).exit, 0)
  const plan = await runCommand(['plan', '--dry-run', '--create-topics', '--target-prefix=copy.', ...storage])
  assert.equal(plan.exit, 0, plan.stderr)
  assert.equal((plan.json['topics'] as { records: number }[])[0]?.records, 20_000)
})

test('only POST from this host is a flush, and no worker is an error that says so', async t => {
  await using scene = await openScene(t)
  const { port } = scene
  const status = (method: string, path: string, host: string) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, method, path, headers: { host } }, response => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      asked.on('error', reject).end()
    })
  assert.equal(await status('GET', '/__/flush', '127.0.0.1'), 405)
  assert.equal(await status('POST', '/__/flush', 'attacker.example'), 403)
  assert.equal(await status('POST', '/flush', '127.0.0.1'), 404)
  const [free = 0] = await freePorts(1)
  const { exit, stderr } = await runCli(['flush', `--flush-port=${free}`])
  assert.equal(exit, 5)
  assert.match(
    stderr,
    /^maxbrod: WORKER_UNREACHABLE: no worker answers on 127\.0\.0\.1:\d+: .* · is maxbrod backup running/m,
  )
})
