import { readFile, readdir } from 'node:fs/promises'
import { decodeNotes } from '../../src/backup/spool/spool-notes.ts'
import type { SpoolHead } from '../../src/backup/spool/spool-notes.ts'

/** A tile in the spool of a worker, as its notes tell. */
export interface SpooledFile {
  readonly head: SpoolHead
  readonly to: number
  readonly records: number
  /** With blocks and notes behind it. */
  readonly path: string
}

/** What lies in the spool of a worker with that working directory, sorted by topic, partition and offset. */
export async function spooledFiles(workingDir: string): Promise<SpooledFile[]> {
  const folder = `${workingDir}/spool`
  const found: SpooledFile[] = []
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.notes')) continue
    const bytes = await readFile(`${folder}/${name}`).catch(() => Buffer.alloc(0)) // uploaded meanwhile
    const known = decodeNotes(bytes)
    if (known === undefined) continue
    const notes = known.notes.map(({ note }) => note)
    const last = notes.at(-1)
    found.push({
      head: known.head,
      to: last === undefined ? known.head.from : last.kind === 'gap' ? last.gap.to : last.to,
      records: notes.reduce((sum, note) => sum + (note.kind === 'block' ? note.records : 0), 0),
      path: `${folder}/${name.slice(0, -'.notes'.length)}`,
    })
  }
  return found.toSorted(
    ({ head: a }, { head: b }) => a.topic.localeCompare(b.topic) || a.partition - b.partition || a.from - b.from,
  )
}
