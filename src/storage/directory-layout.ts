/**
 * Where things lie below the folder of a `file://` store (docs/formats.md, "Keys"). Paths and names are held as texts of
 * one character per byte (latin1): so lengths are those the file system counts, `<` compares bytes, and a foreign name
 * that is no UTF-8 stays what it is. `raw` makes of one what node:fs takes.
 */
export class DirectoryLayout {
  readonly root: string
  readonly drafts: string

  constructor(folder: string) {
    this.root = bytesOf(folder)
    this.drafts = `${this.root}/${draftsName}`
  }

  objectPath(key: string): string {
    return `${this.root}/${storedPath(bytesOf(key))}`
  }

  /** Of a key prefix that ends in a slash, in bytes. */
  folderPath(prefix: string): string {
    return `${this.root}/${storedPath(prefix.slice(0, -1))}`
  }

  /** Where the facts of a key lie; slot 0 except after an accident, see directory-publish.ts. */
  factsPath(key: string, slot: number): string {
    const name = slot === 0 ? `${key}.json` : `${key}.json~${slot}`
    return `${this.root}/${storedPath(bytesOf(`${factsName}/${name}`))}`
  }

  /** A file that is being written; `id` is 32 hexadecimal digits. */
  draftPath(id: string): string {
    return `${this.drafts}/${id}`
  }
}

export const factsName = '@meta'
export const draftsName = '@tmp'

/** What Linux file systems take for one name. */
const NAME_BYTES_MAX = 255
const HEAD_BYTES = 240

/** A name of more than 255 bytes is stored as `<first 240 bytes>~/<rest>`; the rest may be long again. */
function storedPath(key: string): string {
  return key
    .split('/')
    .flatMap(segment => storedNames(segment))
    .join('/')
}

function storedNames(segment: string): string[] {
  // A segment that itself looks like a head is split as well, so that a head is always only a head.
  if (segment.length <= NAME_BYTES_MAX && !isHead(segment)) return [segment]
  return [`${segment.slice(0, HEAD_BYTES)}~`, ...storedNames(segment.slice(HEAD_BYTES))]
}

/** True for a folder that stands for the first part of long names, not for a segment. */
export function isHead(name: string): boolean {
  return name.length === HEAD_BYTES + 1 && name.endsWith('~')
}

/** The part of the long names that a head stands for. */
export function headOf(name: string): string {
  return name.slice(0, HEAD_BYTES)
}

export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** The text, with U+FFFD where the bytes are no UTF-8. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

export function raw(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
