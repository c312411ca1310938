import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openS3Store } from '../../src/storage/s3.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import type { AgeKey } from '../helpers/age-keys.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import { all, contentOf } from '../helpers/object-bodies.ts'
import { assertSameDigests, RoundTrip } from '../helpers/round-trip.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { findStockAge } from '../helpers/stock-age.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const CANARY = 'canary in a value'

test('a backup that began plain and goes on encrypted, with keys that change, comes back by its secret keys and by them alone', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 3 })
  const [old, escrow, present] = [newAgeKey(), newAgeKey(), newAgeKey()]
  const [oldFile, newFile] = [await keyFile(world, 'old', old), await keyFile(world, 'new', present)]
  const recipients = join(world.folder, 'recipients.txt')
  await writeFile(recipients, `# ours\n${old.recipientText}\n`)
  const said: CommandResult[] = []
  const run = async (argv: readonly string[]) => {
    const result = await runCommand([...argv, `--s3-endpoint=${bucket.endpoint}`])
    said.push(result)
    return result
  }
  const roundTrip = new RoundTrip(world, { storage: bucket.url('shop'), run })
  const command = (...argv: string[]) => run([...argv, `--storage=${roundTrip.storage}`])

  const write = (seed: number) => world.referee.generate(topic, { partitions: 3, records: 3_000, seed })
  await write(1)
  await roundTrip.backUp([topic])
  await write(2)
  await world.referee.produce(topic, [{ partition: 0, value: CANARY }])
  const toOld = [`--encrypt-to=${recipients}`, `--encrypt-to=${escrow.recipientText}`]
  await roundTrip.backUp([topic], '--require-encryption', ...toOld)
  await write(3)
  await roundTrip.backUp([topic], `--encrypt-to=${present.recipientText}`)

  const store = openS3Store({ ...bucket.options, prefix: 'shop' })
  const keys = (await all(store.list(`${topic}/`))).map(one => one.key)
  const [plain, sealed] = [keys.filter(one => !one.endsWith('.age')), keys.filter(one => one.endsWith('.avro.age'))]
  assert.deepEqual([plain.length, sealed.length], [3, 6])
  const bytes = await bytesOf(store, sealed)
  for (const content of bytes.values()) {
    assert.ok(content.toString('latin1').startsWith('age-encryption.org/v1\n'))
    assert.ok(!content.includes(CANARY) && !content.includes('maxbrod'))
  }
  await byStockAge(bytes, [oldFile, newFile])

  const planFlags = [`--plan-topic=${roundTrip.planTopic}`, '--create-topics', '--target-prefix=restored.']
  const planWith = (...flags: string[]) =>
    command('plan', `--bootstrap-server=${world.bootstrap}`, ...planFlags, `--topics=${topic}`, ...flags)
  for (const [flags, missing] of [
    [[], sealed],
    [[`--identity=${newFile}`], sealed.filter((_, n) => n % 2 === 0)],
  ] as const) {
    const refused = await planWith(...flags)
    assert.equal(refused.exit, 4, refused.stderr)
    const { code, message, hint } = refused.json['error'] as Record<string, string>
    assert.equal(code, 'TILING_HOLE')
    for (const one of sealed)
      assert.equal(message!.includes(`${one} is encrypted, and there is no key for it`), missing.includes(one), one)
    assert.match(hint!, /--identity/)
  }
  const strict = await planWith('--require-encryption', `--identity=${oldFile}`, `--identity=${newFile}`)
  assert.equal(strict.exit, 6, strict.stderr)
  for (const one of plain) assert.ok(JSON.stringify(strict.json).includes(one), one)

  const planned = await roundTrip.plan(`--topics=${topic}`, `--identity=${oldFile}`, `--identity=${newFile}`)
  assert.deepEqual([planned.json['filesAdded'], planned.json['encryptedFiles']], [keys.length, 0])

  const withoutKey = await run(roundTrip.restoreCommand(`--identity=${newFile}`))
  assert.equal(withoutKey.exit, 12, withoutKey.stderr)
  const why = withoutKey.json['error'] as { code: string; message: string }
  assert.equal(why.code, 'NO_IDENTITY')
  assert.ok(
    sealed.some(one => why.message.includes(one)),
    why.message,
  )
  const restored = await roundTrip.restore(`--identity=${oldFile}`, `--identity=${newFile}`)
  assert.deepEqual(restored.json['incomplete'], [])
  await assertSameDigests(world, topic, roundTrip.target(topic))

  const ids = [`--identity=${oldFile}`, `--identity=${newFile}`]
  const verified = await command('verify', ...ids)
  assert.equal(verified.exit, 0, verified.stdout)
  assert.deepEqual([verified.json['verified'], verified.json['headersUnproven']], [keys.length, 0])
  const unverified = await command('verify')
  assert.equal(unverified.exit, 4)
  const findings = unverified.json['findings'] as { key: string; says: string }[]
  assert.deepEqual(findings.map(({ key }) => key).toSorted(), sealed.toSorted())
  for (const { says } of findings) assert.match(says, /is encrypted, and no --identity opens it/)
  assert.equal((await command('coverage', ...ids)).exit, 0)
  assert.equal((await command('ls', ...ids)).exit, 0)
  assert.equal((await command('describe', topic, ...ids)).exit, 0)
  const copy = join(world.folder, 'copy.avro.age')
  await writeFile(copy, bytes.get(sealed[0]!)!)
  for (const argv of [
    ['inspect', copy, ...ids],
    ['inspect', sealed[0]!, `--storage=${roundTrip.storage}`, ...ids],
  ]) {
    const inspected = await run(argv)
    assert.equal(inspected.exit, 0, inspected.stderr)
    assert.equal(inspected.json['isProven'], true)
    assert.ok(inspected.stdout.includes(CANARY))
  }
  assert.equal((await run(['inspect', copy])).exit, 12)

  const secrets = [old, escrow, present].map(({ identityText }) => identityText)
  for (const { stdout, stderr } of said) for (const secret of secrets) assert.ok(!`${stdout}${stderr}`.includes(secret))
  const plan = await world.referee.records(roundTrip.planTopic)
  for (const secret of secrets) assert.ok(!JSON.stringify(plan).includes(secret))
  store.close()
})

async function keyFile({ folder }: World, name: string, { identityText, recipientText }: AgeKey): Promise<string> {
  const path = join(folder, `${name}.key`)
  await writeFile(path, `# public key: ${recipientText}\n${identityText}\n`, { mode: 0o600 })
  return path
}

async function bytesOf(store: ObjectStore, keys: readonly string[]): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const key of keys) found.set(key, await contentOf(await store.get(key)))
  return found
}

/** Without any code of ours, an operator opens every object, and has an Avro file. */
async function byStockAge(bytes: ReadonlyMap<string, Buffer>, keyFiles: readonly string[]): Promise<void> {
  const stock = findStockAge()
  if (stock === undefined) return
  for (const [key, content] of bytes) {
    const opened = stock.age(['-d', ...keyFiles.flatMap(path => ['-i', path])], content)
    assert.equal(opened.toString('latin1', 0, 4), 'Obj\x01', key)
  }
  assert.ok((await readFile(keyFiles[0]!)).length > 0)
}
