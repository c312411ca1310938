import { bodyOf } from '../catalog/object-body.ts'
import { raceKey } from '../format/system-keys.ts'
import type { Random } from '../runtime/random.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { Finding } from './finding.ts'
import { fail, ok } from './finding.ts'

const WRITERS = 8

/**
 * Has several writers create one object at once: exactly one must win, and what is there must be what it wrote. Where the object
 * is left of an earlier look, none may.
 */
export async function raceToCreate(store: ObjectStore, random: Random, signal?: AbortSignal): Promise<Finding> {
  const existed = (await store.head(raceKey, signal)) !== undefined
  const texts = Array.from({ length: WRITERS }, () => `written by maxbrod check: ${random.id()}\n`)
  const puts = await Promise.all(
    texts.map(async text => {
      const body = bodyOf(Buffer.from(text))
      return store.put(raceKey, body, { sha256: body.sha256 }, signal)
    }),
  )
  const winners = texts.filter((_, n) => puts[n]?.created === true)
  const stored = await textOf(store, signal)
  return judgeRace({ existed, winners, stored })
}

function judgeRace(race: {
  readonly existed: boolean
  readonly winners: readonly string[]
  readonly stored: string
}): Finding {
  const { existed, winners, stored } = race
  const check = 'create-only'
  const fix = 'use a store that honours If-None-Match, or run one worker only with --allow-unconditional-put'
  if (existed && winners.length === 0) return ok(check, `${WRITERS} writers were refused an object that exists`)
  if (existed) return fail(check, `the store let ${winners.length} of ${WRITERS} writers replace an object`, fix)
  if (winners.length !== 1)
    return fail(check, `${winners.length} of ${WRITERS} writers of one object were told that they created it`, fix)
  if (winners[0] !== stored) return fail(check, 'the object is not that of the writer who was told so', fix)
  return ok(check, `one of ${WRITERS} writers created the object, the others were refused`)
}

async function textOf(store: ObjectStore, signal: AbortSignal | undefined): Promise<string> {
  await using read = await store.get(raceKey, { signal })
  const chunks: Buffer[] = []
  for await (const chunk of read.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
