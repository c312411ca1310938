import { parse } from '../../src/config/parse.ts'
import type { Section, Values } from '../../src/config/section.ts'

/** What a room gets of its section: the defaults and these flags. `optionsOf(backupOptions, '--min-file-size=1KiB')` */
export function optionsOf<S extends Section>(section: S, ...argv: string[]): Values<S> {
  const { values } = parse([section], { argv, env: {}, readFile: () => '' })
  const [own] = Object.values(values)
  return own as Values<S>
}
