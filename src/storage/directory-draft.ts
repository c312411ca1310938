import { readdir } from 'node:fs/promises'
import { systemRandom } from '../runtime/random.ts'
import { countedPieces } from './body.ts'
import { sidecarText } from './directory-facts.ts'
import { removeFile, statOf, unlessMissing, writeNew } from './directory-files.ts'
import type { DirectoryLayout } from './directory-layout.ts'
import { raw } from './directory-layout.ts'
import type { Facts, ObjectBody } from './port.ts'

/** An object and its facts on the device, under names that no reader looks at. They go away with it. */
export interface Draft extends AsyncDisposable {
  readonly body: string
  readonly facts: string
}

/** Writes the drafts of an object. Killed in here, all that is left are drafts, for `sweepDrafts`. */
export async function writeDraft(
  layout: DirectoryLayout,
  key: string,
  body: ObjectBody,
  facts: Facts,
  signal: AbortSignal | undefined,
): Promise<Draft> {
  const upload = systemRandom.id()
  const draft = { body: layout.draftPath(upload), facts: `${layout.draftPath(upload)}.json` }
  const remove = async () => {
    await removeFile(draft.facts)
    await removeFile(draft.body)
  }
  try {
    await writeNew(draft.body, countedPieces(key, body, signal))
    await writeNew(draft.facts, sidecarText({ upload, facts }))
  } catch (error) {
    await remove()
    throw error
  }
  return { ...draft, [Symbol.asyncDispose]: remove }
}

/** No upload stands still for so long and then goes on; clocks of a server and its clients do not differ so much. */
const DRAFT_MS_MAX = 24 * 60 * 60 * 1000

/** Removes what killed writers left, and nothing that is not a draft. */
export async function sweepDrafts(layout: DirectoryLayout): Promise<void> {
  const names = (await unlessMissing(readdir(raw(layout.drafts)))) ?? []
  for (const name of names) {
    if (!/^[0-9a-f]{32}(?:\.json)?$/.test(name)) continue
    const path = `${layout.drafts}/${name}`
    const stat = await statOf(path)
    if (stat?.isFile() === true && Number(stat.mtimeMs) < Date.now() - DRAFT_MS_MAX) await removeFile(path)
  }
}
