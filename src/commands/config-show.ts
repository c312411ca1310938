import { explain } from '../config/explain.ts'
import type { Explained } from '../config/explain.ts'
import { table } from '../observe/table.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { CommandTable } from './command-table.ts'
import { findCommand, inOurWords } from './command-table.ts'
import { commonSections } from './common-sections.ts'
import { throwBetterHint } from './unknown-flag.ts'
import type { World } from './world.ts'

/**
 * `maxbrod config show <command> [flags]`: every option of the command as it would be with these flags and this environment,
 * and who says so. Contacts nothing. A command line that the command would refuse is refused here, too.
 */
export async function configShow(words: readonly string[], world: World, commands: CommandTable): Promise<number> {
  const [verb, given, ...flags] = words
  if (verb !== 'show' || given === undefined || given.startsWith('-'))
    throw new MaxbrodError('USAGE', 'config shows the options of a command', {
      hint: 'write maxbrod config show backup, with the flags that backup would get',
    })
  const [name, ...argv] = inOurWords([given, ...flags])
  const command = await findCommand(commands, name)
  const readFile = (path: string) => world.readFile(path)
  const explained = async () => explain([...command.sections, ...commonSections], { argv, env: world.env, readFile })
  const { options, warnings } = await explained().catch((error: unknown) => throwBetterHint(error, command, commands))
  for (const warning of warnings) world.stderr.write(`${warning}\n`)
  const isJson = options.some(({ flag, texts }) => flag === '--output' && texts[0]?.toLowerCase() === 'json')
  world.stdout.write(isJson ? json(name, options) : text(options))
  return 0
}

function json(of: string, options: readonly Explained[]): string {
  const listed = options.map(({ flag, variable, texts, from, name }) => ({ flag, variable, values: texts, from, name }))
  return `${JSON.stringify({ command: 'config show', result: 'ok', of, options: listed })}\n`
}

function text(options: readonly Explained[]): string {
  const rows = options.map(({ flag, texts, from, name }) => [
    flag,
    texts.join(' '),
    name === undefined ? (texts.length === 0 ? '' : 'default') : `${from} ${name}`,
  ])
  return table(['option', 'value', 'from'], rows)
}
