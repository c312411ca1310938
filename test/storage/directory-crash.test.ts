import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { all, contentOf } from '../helpers/object-bodies.ts'
import { Dice, testSeed } from '../helpers/seed.ts'
import { tethered } from '../helpers/tether.ts'

const rounds = 16
const keysPerFolder = 400

test(
  'after any number of SIGKILLs each key is absent or whole, with the facts of its writer',
  { timeout: 240_000 },
  async t => {
    t.diagnostic(`TEST_SEED=${testSeed}`)
    const dice = new Dice(t.name)
    const folder = await mkdtemp(join(tmpdir(), 'maxbrod-store-'))
    try {
      let interrupted = 0
      // How many kills hit a put follows from the disk and the machine.
      for (let round = 0; round < rounds || interrupted <= rounds / 2; round++) {
        assert.ok(round < 4 * rounds, 'the kills must hit puts')
        const before = (await draftsIn(folder)).length
        const writers = [startWriter(folder, `${round}a`), startWriter(folder, `${round}b`)]
        await Promise.all(writers.map(writer => linesOf(writer, dice.between(1, 15))))
        for (const writer of writers) {
          const ended = once(writer, 'exit')
          writer.kill('SIGKILL')
          await ended
        }
        if ((await draftsIn(folder)).length > before) interrupted++
        await checkAll(folder)
      }
      t.diagnostic(`${interrupted} rounds killed a writer in the middle of a put`)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

async function checkAll(folder: string): Promise<void> {
  const store = openDirectoryStore(folder)
  for (const { key, bytes } of await all(store.list(''))) {
    await using read = await store.get(key)
    const content = await contentOf(read)
    assert.equal(content.length, bytes)
    const { writer, sha256 } = read.facts
    assert.equal(createHash('sha256').update(content).digest('hex'), sha256, key)
    assert.equal(content.subarray(0, `${writer} ${key} `.length).toString(), `${writer} ${key} `)
  }
}

function startWriter(folder: string, name: string): ChildProcess {
  const program = join(import.meta.dirname, 'programs/put-forever.ts')
  const command = tethered(process.execPath, [program, folder, name, String(keysPerFolder)])
  return spawn(...command, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Resolves when the writer has put so many objects. */
async function linesOf(writer: ChildProcess, count: number): Promise<void> {
  let left = count
  assert.ok(writer.stdout !== null)
  for await (const line of createInterface(writer.stdout)) if (line !== '' && --left <= 0) return
  assert.fail('the writer ended by itself')
}

async function draftsIn(folder: string): Promise<string[]> {
  return readdir(join(folder, '@tmp')).catch(() => [])
}
