import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Ports } from '../../src/commands/ports.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { runCli } from '../helpers/cli.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import { soundFiles, storeOf } from '../helpers/sound-archive.ts'
import type { StoredObject } from '../helpers/sound-archive.ts'

let folder: string
let bucket: string
let storage: string
let files: StoredObject[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-verify-'))
  bucket = join(folder, 'bucket')
  storage = `--storage=${String(pathToFileURL(bucket))}`
  files = await soundFiles(['a', 'b'], 5)
  const store = await storeOf(files, openDirectoryStore(bucket))
  store.close()
})

after(() => rm(folder, { recursive: true }))

test('verify ends with exit code 0 for a sound backup, and says what was read', async () => {
  const { exit, stdout } = await runCli(['verify', storage])
  assert.equal(exit, 0, stdout)
  assert.match(stdout, /^2 topics, 4 partitions, 20 files in file:/m)
  assert.match(stdout, /^20 files read and sound: 360 records, /m)
  assert.match(stdout, /^nothing is wrong$/m)
})

test('verify ends with exit code 4 for a damaged backup and names the file, for people and for programs', async () => {
  const path = join(bucket, files[7]!.key)
  const bytes = await readFile(path)
  const flipped = Buffer.from(bytes)
  flipped[flipped.length - 30]! ^= 4
  await writeFile(path, flipped)
  const { exit, json } = await runCommand(['verify', storage])
  assert.deepEqual([exit, json['result'], json['verified']], [4, 'failed', 19])
  const [finding, ...others] = json['findings'] as Record<string, unknown>[]
  assert.deepEqual(others, [])
  const { kind, topic, partition, key, from, to } = finding!
  assert.deepEqual([kind, topic, partition, key, from, to], ['damaged', 'a', 1, files[7]!.key, 40, 60])
  const text = await runCli(['verify', storage, '--topics=a'])
  assert.equal(text.exit, 4)
  assert.ok(text.stdout.startsWith(`DAMAGED  ${files[7]!.key}: `), text.stdout)
  assert.equal((await runCommand(['verify', storage, '--topics=b'])).exit, 0)
  await writeFile(path, bytes)
})

test('a run that was stopped, and whose last line is torn, goes on where it was; the next one begins again', async () => {
  const state = join(folder, 'stopped.jsonl')
  const argv = ['verify', storage, '--state', state]
  let reads = 0
  const verify = startCommand(
    argv,
    stoppingAt(() => ++reads === 9 && verify.signal('SIGTERM')),
  )
  const stopped = await verify.result
  assert.equal(stopped.exit, 143, stopped.stderr)
  const done = (await readFile(state, 'utf8')).split('\n').filter(line => line.includes('sha256')).length
  assert.ok(done > 0 && done < 20, `${done} files`)
  await appendFile(state, '{"key":"a/0/a-0-00000')
  const rest = await runCommand(argv)
  assert.deepEqual([rest.exit, rest.json['verified']], [0, 20 - done])
  assert.equal((await runCommand(argv)).json['verified'], 20)
})

test('the last file of a partition is missed by who verified before', async () => {
  const state = join(folder, 'last.jsonl')
  const argv = ['verify', storage, '--state', state, '--sample', '50%']
  assert.equal((await runCommand(argv)).json['verified'], 10)
  assert.equal((await runCommand(argv)).json['verified'], 10)
  const path = join(bucket, files[4]!.key)
  const bytes = await readFile(path)
  await unlink(path)
  const { exit, json } = await runCommand(argv)
  assert.equal(exit, 4)
  assert.deepEqual(
    (json['findings'] as Record<string, unknown>[]).map(({ kind, key }) => [kind, key]),
    [['gone', files[4]!.key]],
  )
  await writeFile(path, bytes)
})

test('a state file of another backup, or that is none, is refused with exit code 2 and left as it is', async () => {
  const state = join(folder, 'foreign')
  for (const content of ['{"verified":"s3://other/backup"}\n', 'my only copy\n']) {
    await writeFile(state, content)
    assert.equal((await runCommand(['verify', storage, '--state', state])).exit, 2)
    assert.equal(await readFile(state, 'utf8'), content)
  }
})

test('a share that is none is refused', async () => {
  for (const share of ['0%', '101%', '5', 'all'])
    assert.equal((await runCommand(['verify', storage, `--sample=${share}`])).exit, 2)
})

test('--max-rate holds: as much time goes by as the bytes take', async () => {
  let now = 0
  const ports = (real: Ports): Ports => ({
    ...real,
    clock: {
      ...real.clock,
      monotonic: () => now,
      sleep: ms => ((now += ms), Promise.resolve()),
    },
  })
  const { exit, json } = await runCommand(['verify', storage, '--max-rate', '1KiB'], ports)
  assert.equal(exit, 0)
  const dueMs = (Number(json['bytes']) / 1024) * 1000
  assert.ok(now > dueMs - 1_000 && now < dueMs + 1_000, `${now} ms for ${dueMs}`)
})

/** Calls `onRead` for each file that is opened as a whole. */
function stoppingAt(onRead: () => unknown): (real: Ports) => Ports {
  return real => ({
    ...real,
    async openStore(options, tools) {
      const store = await real.openStore(options, tools)
      return {
        ...store,
        get(key, wanted) {
          if (wanted?.bytes === undefined) onRead()
          return store.get(key, wanted)
        },
      }
    },
  })
}
