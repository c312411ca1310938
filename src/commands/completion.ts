import { completions } from '../config/completion.ts'
import { declaredOptions } from '../config/declared.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { CommandTable } from './command-table.ts'
import { allCommands, helpers } from './command-table.ts'
import { commonSections } from './common-sections.ts'
import type { World } from './world.ts'

/** `maxbrod completion bash|zsh|fish`: a script for that shell, made from the options that there are. */
export async function completion(
  [shell = '']: readonly string[],
  world: Pick<World, 'stdout'>,
  table: CommandTable,
): Promise<number> {
  const write = Object.hasOwn(completions, shell) ? completions[shell] : undefined
  if (write === undefined) {
    const hint = `write maxbrod completion ${Object.keys(completions).join('|')}`
    throw new MaxbrodError('USAGE', shell === '' ? 'for which shell?' : `there is no completion for '${shell}'`, {
      hint,
    })
  }
  const commands = await allCommands(table)
  const plain = (name: string, summary: string, words: readonly string[]) => ({ name, summary, options: [], words })
  world.stdout.write(
    write([
      ...commands.map(({ name, summary, sections }) => ({
        name,
        summary,
        options: declaredOptions([...sections, ...commonSections]),
        words: [],
      })),
      plain('config', helpers['config show'], ['show', ...commands.map(({ name }) => name)]),
      plain('completion', helpers.completion, Object.keys(completions)),
    ]),
  )
  return 0
}
