import { systemCodeOf } from './errors.ts'

/** The file system, of paths in whatever form its caller has them. */
export interface FolderMaking {
  readonly make: (path: string) => Promise<unknown>
  readonly isFolder: (path: string) => Promise<boolean>
  readonly above: (path: string) => string
}

/**
 * Makes a folder, and those above it that are missing; answers the topmost one that it made. Not by Node's own `recursive`: on a
 * read-only file system that says ENOENT, which is the wrong trouble, and where the system takes no folders (/proc) it never ends.
 */
export async function makeFolders(path: string, { make, isFolder, above }: FolderMaking): Promise<string | undefined> {
  const missing: string[] = []
  let at = path
  let top: string | undefined
  for (;;) {
    try {
      await make(at)
      top = at
      break
    } catch (error) {
      const parent = above(at)
      if (systemCodeOf(error) === 'ENOENT' && parent !== at && parent !== '') {
        missing.push(at)
        at = parent
      } else if (await isFolder(at)) break
      else throw error
    }
  }
  for (const next of missing.toReversed()) {
    try {
      await make(next)
      top ??= next
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST' || !(await isFolder(next))) throw error
    }
  }
  return top
}
