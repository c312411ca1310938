import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export interface TestFile {
  /** Relative to the checkout, with slashes. */
  readonly path: string
  /** system: has servers and processes of its own, and takes long. server: needs a server that all such files share. pure: needs nothing. */
  readonly kind: 'pure' | 'server' | 'system'
  readonly needsKafka: boolean
  readonly needsS3: boolean
}

/** What takes too long for every run; `make test-long`, or a word that names it, runs it. */
const LONG = 'test/long/'

/** Every `*.test.ts` below test/ whose path contains one of the words; without any word all but the long ones. */
export function findTestFiles(words: readonly string[]): TestFile[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => `test/${name}`)
    .filter(path => (words.length === 0 ? !path.startsWith(LONG) : words.some(word => path.includes(word))))
    .sort()
    .map(classify)
}

/** The name says what a file needs: `.kafka.test.ts`, `.s3.test.ts`, or both; system tests may use either. */
function classify(path: string): TestFile {
  const isSystem = path.startsWith('test/system/') || path.startsWith(LONG)
  const needsKafka = isSystem || /\.kafka\./.test(path)
  const needsS3 = isSystem || /\.s3\./.test(path)
  return { path, kind: isSystem ? 'system' : needsKafka || needsS3 ? 'server' : 'pure', needsKafka, needsS3 }
}
