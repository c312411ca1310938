import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import * as vectors from 'cctv-age'
import { parseIdentities } from '../../src/storage/age/keys.ts'
import type { Identity } from '../../src/storage/age/x25519.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { bodyOf, contentOf } from '../helpers/object-bodies.ts'

/** What the vectors of the Community Cryptography Test Vectors test that maxbrod has no use for. */
const NOT_OURS = /^(armor|scrypt|hybrid)/

interface Vector {
  readonly facts: ReadonlyMap<string, string>
  readonly file: Buffer
}

function parse(vector: Uint8Array): Vector {
  const bytes = Buffer.from(vector)
  const end = bytes.indexOf('\n\n')
  const facts = new Map(
    bytes
      .toString('latin1', 0, end)
      .split('\n')
      .map(line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const),
  )
  const rest = bytes.subarray(end + 2)
  return { facts, file: facts.get('compressed') === 'zlib' ? inflateSync(rest) : rest }
}

async function open(file: Buffer, identities: readonly Identity[], bytes?: number): Promise<Buffer> {
  const store = newMemoryStore()
  await store.put('x.age', bodyOf(file, 50_000), {})
  const options = bytes === undefined ? {} : { bytes }
  return contentOf(await decrypting(store, { identities, mustBeSealed: () => false }).get('x.age', options))
}

for (const [name, vector] of Object.entries(vectors)) {
  const { facts, file } = parse(vector)
  const expected = facts.get('expect')
  const passphrase = facts.has('passphrase')
  if (NOT_OURS.test(name)) {
    test(`${name}: what other keys open is refused with a type`, async () => {
      const refusal = await refusalOf(file, identitiesOf(facts))
      assert.ok(isMaxbrodError(refusal, 'OBJECT_CORRUPT', 'NO_IDENTITY'), String(refusal))
    })
    continue
  }
  test(`${name}: ${expected}`, async () => {
    const identities = identitiesOf(facts)
    if (expected === 'success') {
      assert.equal(sha256(await open(file, identities)), facts.get('payload'))
      const whole = await open(file, identities)
      assert.deepEqual(await open(file, identities, 70_000), whole.subarray(0, 70_000))
      return
    }
    assert.equal(passphrase, false)
    const refusal = await refusalOf(file, identities)
    assert.ok(isMaxbrodError(refusal, expected === 'no match' ? 'NO_IDENTITY' : 'OBJECT_CORRUPT'), String(refusal))
  })
}

async function refusalOf(file: Buffer, identities: readonly Identity[]): Promise<unknown> {
  return open(file, identities).then(
    () => assert.fail('it was opened'),
    (error: unknown) => error,
  )
}

/** One of our own keys where the vector has none that we know. */
function identitiesOf(facts: ReadonlyMap<string, string>): readonly Identity[] {
  const text = facts.get('identity') ?? ''
  const other = 'AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0'
  return parseIdentities(text.startsWith('AGE-SECRET-KEY-1') ? text : other, 'keys.txt').identities
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
