import assert from 'node:assert/strict'
import { inflateSync } from 'node:zlib'
import * as vectors from 'cctv-age'
import { parseIdentities } from '../../src/storage/age/keys.ts'
import type { Identity } from '../../src/storage/age/x25519.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { GetOptions } from '../../src/storage/port.ts'
import { bodyOf, contentOf } from '../helpers/object-bodies.ts'
import type { Dice } from '../helpers/seed.ts'
import { edited, editedOften, spliced } from './edits.ts'
import { assertTyped } from './reading.ts'

/** An encrypted file that others made, and what is in it. */
interface AgeFile {
  readonly bytes: Buffer
  readonly content: Buffer
  readonly identities: readonly Identity[]
}

/** The same in every run: what is sealed here has other bytes each time. */
const sound = ['x25519', 'x25519_multiple_recipients', 'x25519_grease', 'stream_two_chunks', 'stream_last_chunk_full']

let files: Promise<readonly AgeFile[]> | undefined

/** No changed file gives out anything else than the beginning of what was sealed, by whichever range it is read. */
export async function ageFileReads(dice: Dice): Promise<boolean> {
  files ??= Promise.all(sound.map(readVector))
  const { bytes, content, identities } = dice.pick(await files)
  const end = bytes.indexOf('\n', bytes.indexOf('\n---') + 1) + 1
  const lines = bytes.toString('latin1', 0, end).split(/(?<=\n)/)
  const changed = dice.pick([
    () => editedOften(dice, bytes),
    () => edited(dice, bytes),
    () => Buffer.concat([Buffer.from(spliced(dice, lines).join(''), 'latin1'), bytes.subarray(end)]),
    () => Buffer.concat([edited(dice, bytes.subarray(0, end)), bytes.subarray(end)]),
    () => Buffer.concat([bytes.subarray(0, end), edited(dice, bytes.subarray(end))]),
  ])()
  const start = dice.pick([0, 0, 1, 65_535, 65_536, dice.between(0, content.length)])
  const options = dice.pick<GetOptions>([{}, { start, bytes: dice.between(0, 200_000) }])
  const given: Buffer[] = []
  try {
    const read = await open(changed, identities, options)
    for await (const piece of read.body) given.push(piece)
  } catch (error) {
    assertTyped(error)
  }
  const from = options.start ?? 0
  const out = Buffer.concat(given)
  assert.ok(out.equals(content.subarray(from, from + out.length)), 'it gave out what was not sealed')
  return out.length > 0
}

async function readVector(name: string): Promise<AgeFile> {
  const vector = Buffer.from((vectors as unknown as Record<string, Uint8Array>)[name]!)
  const end = vector.indexOf('\n\n')
  const identity = /^identity: (\S+)$/m.exec(vector.toString('latin1', 0, end))![1]!
  const { identities } = parseIdentities(identity, name)
  const rest = vector.subarray(end + 2)
  const bytes = vector.toString('latin1', 0, end).includes('compressed: zlib') ? inflateSync(rest) : rest
  return { bytes, content: await contentOf(await open(bytes, identities, {})), identities }
}

async function open(bytes: Buffer, identities: readonly Identity[], options: GetOptions) {
  const store = newMemoryStore()
  await store.put('x.age', bodyOf(bytes), {})
  return decrypting(store, { identities, mustBeSealed: () => false }).get('x.age', options)
}
