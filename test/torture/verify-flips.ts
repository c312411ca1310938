import { parseArgs } from 'node:util'
import { parseTileKey } from '../../src/format/keys.ts'
import { Dice, testSeed } from '../helpers/seed.ts'
import { soundFiles, storeOf } from '../helpers/sound-archive.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { verifying } from '../helpers/verifying.ts'
import { writeResults } from './write-results.ts'

/**
 * `make torture-verify`: single bits are flipped anywhere in an archive of 200 files, one at a time, and each must be found
 * with the name of its file. Writes test/torture/results/verify-flips.json.
 */
const { values } = parseArgs({ options: { flips: { type: 'string', default: '10000' } } })
const flips = Number(values.flips)
const dice = new Dice('verify flips')
const topics = Array.from({ length: 20 }, (_, n) => `topic-${n}`)
const files = await soundFiles(topics, 5)
const store = await storeOf(files)
const sound = await verifying(store)
if (sound.verified !== 200 || sound.findings.length > 0) throw new Error('the archive is not sound to begin with')

const began = performance.now()
const missed: string[] = []
for (let n = 1; n <= flips; n++) {
  const { key, bytes, facts } = dice.pick(files)
  const at = dice.between(0, bytes.length - 1)
  const bit = dice.between(0, 7)
  const flipped = Buffer.from(bytes)
  flipped[at]! ^= 1 << bit
  await replace(key, flipped, facts)
  // Files of one topic never say anything of another, so that its ten files are enough to look at.
  const { findings } = await verifying(store, `--topics=${parseTileKey(key)?.topic}`)
  if (findings.length !== 1 || findings[0]?.key !== key) missed.push(`${key}, byte ${at}, bit ${bit}`)
  await replace(key, bytes, facts)
  if (n % 1000 === 0) process.stdout.write(`${n} flips, ${missed.length} missed\n`)
}
const clean = await verifying(store)
const seconds = Math.round((performance.now() - began) / 1000)
writeResults('verify-flips.json', {
  seed: testSeed,
  files: files.length,
  bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0),
  flips,
  found: flips - missed.length,
  missed,
  isCleanAfterwards: clean.findings.length === 0,
  seconds,
})
if (missed.length > 0 || clean.findings.length > 0) process.exitCode = 1

async function replace(key: string, bytes: Buffer, facts: Readonly<Record<string, string>>): Promise<void> {
  await store.delete(key)
  await store.put(key, bodyOf(bytes), facts)
}
