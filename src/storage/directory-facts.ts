import { systemCodeOf } from '../runtime/errors.ts'
import { openFile } from './directory-files.ts'
import type { DirectoryLayout } from './directory-layout.ts'
import type { Facts } from './port.ts'

/** What lies beside an object, in `@meta/<key>.json`. */
export interface Sidecar {
  /** Name of the draft that becomes the object, so that somebody else can finish what a dead writer began. */
  readonly upload: string
  readonly facts: Facts
}

export function sidecarText(sidecar: Sidecar): string {
  return `${JSON.stringify(sidecar, undefined, 2)}\n`
}

/** The facts of an object that exists; none when the folder was filled by other means than maxbrod. */
export async function readFacts(layout: DirectoryLayout, key: string): Promise<Facts> {
  let facts: Facts = {}
  // The highest slot counts: the ones before it belong to writers that died, see directory-publish.ts.
  for (let slot = 0; ; slot++) {
    const sidecar = await readSidecar(layout.factsPath(key, slot))
    if (sidecar === undefined) return facts
    if (sidecar !== 'unreadable') facts = sidecar.facts
  }
}

/** Undefined when there is no such file. */
export async function readSidecar(path: string): Promise<Sidecar | 'unreadable' | undefined> {
  await using opened = await openFile(path)
  if (opened === undefined) return undefined
  try {
    return parse(await opened.file.readFile('utf8')) ?? 'unreadable'
  } catch (error) {
    if (systemCodeOf(error) !== undefined) throw error
    return 'unreadable'
  }
}

function parse(text: string): Sidecar | undefined {
  const content = JSON.parse(text) as Partial<Record<keyof Sidecar, unknown>> | null
  const { upload, facts } = content ?? {}
  // The name becomes part of a path: whoever can write here must not make us link what lies elsewhere.
  if (typeof upload !== 'string' || !/^[0-9a-f]{32}$/.test(upload)) return undefined
  if (typeof facts !== 'object' || facts === null) return undefined
  if (!Object.values(facts).every(value => typeof value === 'string')) return undefined
  return { upload, facts: facts as Facts }
}
