import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseIdentities, parseRecipient } from '../../src/storage/age/keys.ts'
import { sealFor } from '../../src/storage/age/seal.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { bodyOf, contentOf, patternOf } from '../helpers/object-bodies.ts'
import { findStockAge, withoutAge } from '../helpers/stock-age.ts'

const stock = findStockAge()
const skip = stock === undefined && withoutAge
const SIZES = [0, 1, 65_535, 65_536, 65_537, 1_000_003]

test('what is sealed here, stock age opens byte for byte, with the key of any recipient', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stock-age-'))
  try {
    const texts = [stock!.keygen([]), stock!.keygen([])]
    const recipients = texts.map(text => parseRecipient(stock!.keygen(['-y'], text).trim()))
    for (const size of SIZES) {
      const content = patternOf(size)
      const body = await sealFor(recipients)(bodyOf(content))
      const pieces: Uint8Array[] = []
      for await (const piece of body.open()) pieces.push(piece)
      const sealed = Buffer.concat(pieces)
      assert.equal(sealed.length, body.bytes)
      for (const [n, text] of texts.entries()) {
        const path = join(folder, `key-${n}`)
        writeFileSync(path, text)
        assert.ok(stock!.age(['-d', '-i', path], sealed).equals(content), `${size} bytes, key ${n}`)
      }
    }
    const other = join(folder, 'other')
    writeFileSync(other, newAgeKey().identityText)
    const sealed = await contentOf(await storedAs(await sealFor(recipients)(bodyOf('secret'))))
    assert.throws(() => stock!.age(['-d', '-i', other], sealed), /no identity matched/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('what stock age encrypts is read here, by keys that age-keygen made', { skip }, async () => {
  const text = stock!.keygen([])
  const to = ['-r', stock!.keygen(['-y'], text).trim(), '-r', newAgeKey().recipientText]
  const { identities } = parseIdentities(text, 'keys.txt')
  for (const size of SIZES) {
    const content = patternOf(size)
    const store = newMemoryStore()
    await store.put('x.age', bodyOf(stock!.age(to, content)), {})
    const read = await decrypting(store, { identities, mustBeSealed: () => false }).get('x.age')
    assert.equal(read.bytes, size)
    assert.ok((await contentOf(read)).equals(content), `${size} bytes`)
  }
})

async function storedAs(body: Awaited<ReturnType<ReturnType<typeof sealFor>>>) {
  const store = newMemoryStore()
  await store.put('x', body, {})
  return store.get('x')
}
