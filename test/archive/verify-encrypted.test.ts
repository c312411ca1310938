import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import * as fc from 'fast-check'
import { tileFactsFromMap, tileFactsToMap } from '../../src/format/facts.ts'
import type { SealedFacts } from '../../src/format/facts.ts'
import { parseTileKey } from '../../src/format/keys.ts'
import { must } from '../../src/runtime/assert.ts'
import { sealFor } from '../../src/storage/age/seal.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { checkAsync } from '../helpers/properties.ts'
import { soundFiles, storeOf, wholeFile } from '../helpers/sound-archive.ts'
import type { StoredObject } from '../helpers/sound-archive.ts'
import { verifying } from '../helpers/verifying.ts'

const key = newAgeKey()
const mustBeSealed = (name: string) => parseTileKey(name) !== undefined
let files: StoredObject[]

before(async () => {
  files = await Promise.all((await soundFiles(['a'], 2)).map(file => sealed(file)))
})

/** As a worker with public keys would have stored it. */
async function sealed({ key: name, bytes, facts }: StoredObject, change: Partial<SealedFacts> = {}) {
  const { topic, partition, from } = must(parseTileKey(name), name)
  const body = await sealFor([newAgeKey().recipient, key.recipient])(bodyOf(bytes))
  const pieces: Uint8Array[] = []
  for await (const piece of body.open()) pieces.push(piece)
  // What the headers of these files say.
  const told = { topic, partition, coversFrom: from, origin: 0, leaderEpoch: 4, ...change }
  const all = { ...must(tileFactsFromMap(facts), name), sealed: told }
  return { key: `${name}.age`, bytes: Buffer.concat(pieces), facts: tileFactsToMap(all, body.sha256) }
}

async function findingsIn(changed: readonly StoredObject[]): Promise<readonly string[]> {
  const store = decrypting(await storeOf(changed), { identities: [key.identity], mustBeSealed })
  const { findings } = await verifying(store)
  return [...new Set(findings.map(one => one.key ?? ''))]
}

test('sound encrypted files have no finding', async () => {
  const store = decrypting(await storeOf(files), { identities: [key.identity], mustBeSealed })
  const { findings, verified, headersUnproven } = await verifying(store)
  assert.deepEqual([findings, verified, headersUnproven], [[], 4, 0])
})

test('a flipped bit or a cut anywhere in any encrypted file is found, and its file named', async () => {
  const places = fc.tuple(fc.nat(3), fc.nat(), fc.nat(7), fc.boolean())
  await checkAsync(
    fc.asyncProperty(places, async ([n, at, bit, isCut]) => {
      const { bytes } = files[n]!
      const damaged = isCut ? bytes.subarray(0, at % bytes.length) : Buffer.from(bytes)
      if (!isCut) damaged[at % bytes.length]! ^= 1 << bit
      assert.deepEqual(await findingsIn(files.with(n, { ...files[n]!, bytes: damaged })), [files[n]!.key])
    }),
    60,
  )
})

test('encrypted files that were swapped are both found: each says who it is', async () => {
  const [one, other] = [files[0]!, files[2]!]
  const swapped = files.with(0, { ...other, key: one.key }).with(2, { ...one, key: other.key })
  assert.deepEqual((await findingsIn(swapped)).toSorted(), [one.key, other.key].toSorted())
})

test('what a worker would be told beside an encrypted file, and is not so, is found', async () => {
  const [plain] = await soundFiles(['a'], 1)
  const lies: Partial<SealedFacts>[] = [
    { topic: 'b' },
    { partition: 1 },
    { coversFrom: 1 },
    { origin: 1 },
    { leaderEpoch: 3 },
  ]
  for (const lie of lies) {
    const lying = await sealed(plain!, lie)
    assert.deepEqual(await findingsIn([lying, ...files.slice(1)]), [lying.key], JSON.stringify(lie))
  }
})

test('a plain file beside an encrypted one with the same records is no finding, and is told; with other records it is one', async () => {
  const plain = await soundFiles(['a'], 2)
  const opened = (objects: readonly StoredObject[]) =>
    storeOf(objects).then(store => decrypting(store, { identities: [key.identity], mustBeSealed: () => false }))
  const same = await verifying(await opened([...files, plain[1]!]))
  assert.deepEqual([same.findings, same.twins, same.twinsUnread, same.verified], [[], 1, 0, 5])

  // Ten offsets of the plain file are those of the first encrypted one, and ten those of the second.
  const place = must(parseTileKey(plain[0]!.key), 'a key')
  const across = await verifying(await opened([...files, await wholeFile(place, 10, 30)]))
  assert.deepEqual([across.twins, across.findings.map(({ kind }) => kind)], [0, ['overlap', 'overlap']])
  for (const { says } of across.findings) assert.match(says, /hold different records of offsets (10 to 19|20 to 29)$/)

  const sampled = await verifying(await opened([...files, ...plain]), '--sample=20%')
  assert.deepEqual([sampled.findings, sampled.twins + sampled.twinsUnread], [[], 4])
  assert.ok(sampled.twins > 0 && sampled.verified % 2 === 0, JSON.stringify(sampled))
})

test('two plain files that cover the same offsets are a finding, whatever they hold', async () => {
  const plain = await soundFiles(['a'], 2)
  const place = must(parseTileKey(plain[0]!.key), 'a key')
  const { findings, twins } = await verifying(await storeOf([...plain, await wholeFile(place, 10, 20)]))
  assert.deepEqual([findings.map(({ kind }) => kind), twins], [['overlap'], 0])
})
