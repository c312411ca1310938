import { MaxbrodError, systemCodeOf } from '../runtime/errors.ts'
import type { Draft } from './directory-draft.ts'
import { readSidecar } from './directory-facts.ts'
import type { DurableFolders } from './directory-files.ts'
import { isTaken, linkNew, removeFile, statOf, syncFolder } from './directory-files.ts'
import type { DirectoryLayout } from './directory-layout.ts'
import { folderOf, textOf } from './directory-layout.ts'

/**
 * Makes a draft the object of its key, unless that is taken; true when it did. Any number of writers may try at once, be
 * killed or stopped anywhere: an object that can be seen is whole, durable, and has the facts of the writer it is from.
 *
 * The facts decide who wins, because they must be there before the object: whoever links his facts to the first free
 * slot owns the key, and then links his object. The others do not wait for him, he may be dead: the facts name his draft,
 * and they link that themselves. Only when his draft is gone and there is no object (he failed, or was killed and swept)
 * will there never be one from him, and the next slot is tried. So of all slots the highest is the object's.
 */
export async function publish(
  layout: DirectoryLayout,
  folders: DurableFolders,
  key: string,
  draft: Draft,
): Promise<boolean> {
  const object = layout.objectPath(key)
  await folders.make(folderOf(object))
  for (let slot = 0; ; slot++) {
    const facts = layout.factsPath(key, slot)
    await folders.make(folderOf(facts))
    if (await linkNew(draft.facts, facts)) {
      if (await linkBehind(facts, draft.body, object)) return true
      // An object without facts came from elsewhere, after we had looked. It must not get ours.
      await removeFile(facts)
      return false
    }
    // Who reads no facts there after all came too late for them to be in the way: the same slot again.
    const end = await finishFor(layout, facts, object)
    if (end === 'object exists') return false
    if (end === 'slot is free') slot--
  }
}

/** Finishes what the owner of these facts began. `slot is dead` says that nobody ever will. */
async function finishFor(
  layout: DirectoryLayout,
  facts: string,
  object: string,
): Promise<'object exists' | 'slot is free' | 'slot is dead'> {
  const sidecar = await readSidecar(facts)
  if (sidecar === undefined && (await statOf(facts)) === undefined) return 'slot is free'
  if (sidecar !== undefined && sidecar !== 'unreadable') {
    const draft = layout.draftPath(sidecar.upload)
    try {
      await linkBehind(facts, draft, object)
      return 'object exists'
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT' || (await statOf(draft)) !== undefined) throw error
    }
  }
  // In this order: an owner removes his draft only after the object is there, so without both it never will be.
  if (!(await isTaken(object))) return 'slot is dead'
  await syncFolder(folderOf(object))
  return 'object exists'
}

/** Links the object, with both its names and those of its facts on the device when it returns. False when it is another's. */
async function linkBehind(facts: string, draft: string, object: string): Promise<boolean> {
  await syncFolder(folderOf(facts))
  const isOurs = await linkNew(draft, object)
  await syncFolder(folderOf(object))
  return isOurs
}

/** The ETag of the file at a path: another file, other content or a rewritten one has another. */
export async function etagAt(path: string): Promise<string> {
  const stat = await statOf(path)
  if (stat !== undefined) return etagOf(stat)
  throw new MaxbrodError('STORAGE_UNREACHABLE', `${textOf(path)} vanished`, { path: textOf(path) })
}

export function etagOf({ ino, mtimeNs, size }: { ino: bigint; mtimeNs: bigint; size: bigint }): string {
  return `"${ino.toString(16)}-${mtimeNs.toString(16)}-${size.toString(16)}"`
}
