import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** For NODE_COMPILE_CACHE. Hundreds of processes load the same sources; compiling them takes half of a short one's time (measured). */
export const compileCache = join(root, '.cache/compile')

export interface TestFile {
  /** Relative to the checkout, with slashes. */
  readonly path: string
  /** system: has servers and processes of its own, and takes long. server: needs a server that all such files share. pure: needs nothing. */
  readonly kind: 'pure' | 'server' | 'system'
  readonly needsKafka: boolean
  readonly needsS3: boolean
}

/** What takes too long for every run, or needs servers that only its own target brings; `make test-long` and `make test-stores`, or a word that names it, run it. */
const APART = ['test/long/', 'test/stores/']

/** Every `*.test.ts` below test/ whose path contains one of the words; without any word all but those apart. */
export function findTestFiles(words: readonly string[]): TestFile[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => `test/${name}`)
    .filter(path =>
      words.length === 0 ? !APART.some(folder => path.startsWith(folder)) : words.some(word => path.includes(word)),
    )
    .sort()
    .map(classify)
}

/** The name says what a file needs: `.kafka.test.ts`, `.s3.test.ts`, or both; system tests may use either. */
function classify(path: string): TestFile {
  const isSystem = ['test/system/', ...APART].some(folder => path.startsWith(folder))
  const needsKafka = isSystem || /\.kafka\./.test(path)
  const needsS3 = isSystem || /\.s3\./.test(path)
  return { path, kind: isSystem ? 'system' : needsKafka || needsS3 ? 'server' : 'pure', needsKafka, needsS3 }
}
