import assert from 'node:assert/strict'
import { commandTable, findCommand } from '../../src/commands/command-table.ts'
import { commonSections } from '../../src/commands/common-sections.ts'
import { declaredOptions } from '../../src/config/declared.ts'
import { parse } from '../../src/config/parse.ts'

export interface CommandLine {
  /** For the message. */
  readonly where: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The environment is that of a pod which runs another command: it may set what this one does not have. */
  readonly isShared?: boolean
}

/** Variables that are not options: of the SDK of the object store, and of Node. */
const notOurs = /^(AWS|NODE)_/

/** The command can be run as it is called: it exists, reads its flags and variables, and each of them is one of its own. */
export async function assertRuns({ where, argv, env, isShared = false }: CommandLine): Promise<void> {
  const [name = '', ...flags] = argv
  const { sections } = await findCommand(commandTable, name)
  const all = [...sections, ...commonSections]
  const { warnings } = parse(all, { argv: flags, env, readFile: () => '' })
  // A store or broker beside the pods may speak without TLS; that much is said, and is meant.
  assert.deepEqual(
    warnings.filter(warning => !warning.includes('is not encrypted')),
    [],
    where,
  )
  if (isShared) return
  const known = declaredOptions(all).flatMap(({ variables }) => variables.map(variable => variable.name))
  const unknown = Object.keys(env).filter(variable => !known.includes(variable) && !notOurs.test(variable))
  assert.deepEqual(unknown, [], `${where}: no options of ${name}`)
}
