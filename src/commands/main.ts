import { helpPage } from '../config/help.ts'
import { table as tableText } from '../observe/table.ts'
import { Redactor } from '../observe/redact.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { CommandTable } from './command-table.ts'
import { allCommands, findCommand, helpers, inOurWords } from './command-table.ts'
import type { Command } from './command.ts'
import { commonSections } from './common-sections.ts'
import { reportError } from './ending.ts'
import { throwBetterHint } from './unknown-flag.ts'
import type { World } from './world.ts'

/** Finds the command and runs it, or prints help or version. Answers with the exit code, whatever happens. */
export async function main(world: World, table: CommandTable): Promise<number> {
  try {
    return await dispatch(world, table)
  } catch (error) {
    return reportCrash(error, world)
  }
}

/** For what is thrown outside of a running command: usage errors, and bugs that nobody caught. */
export function reportCrash(error: unknown, world: World): number {
  return reportError(error, { command: undefined, isJson: asksForJson(world), redactor: new Redactor(), world })
}

async function dispatch(world: World, table: CommandTable): Promise<number> {
  const [name, ...argv] = inOurWords(world.argv)
  if (name === 'help') return dispatch({ ...world, argv: [...argv, '--help'] }, table)
  if (name === '--version' || name === 'version') {
    world.stdout.write(`maxbrod ${world.version} (${world.runtime})\n`)
    return 0
  }
  if (name === '--help' || name === '-h') {
    world.stdout.write(overview(await allCommands(table)))
    return 0
  }
  if (name.startsWith('-')) {
    throw new MaxbrodError('USAGE', `${name} stands before the command`, { hint: 'write maxbrod <command> [flags]' })
  }
  if (name === 'config' || name === 'completion') {
    if (argv.length === 0 || argv.some(isHelp)) {
      world.stdout.write(overview(await allCommands(table)))
      return 0
    }
    if (name === 'config') return (await import('./config-show.ts')).configShow(argv, world, table)
    return (await import('./completion.ts')).completion(argv, world, table)
  }
  const command = await findCommand(table, name)
  if (argv.some(isHelp)) {
    const page = { ...command, program: `maxbrod ${name}`, sections: [...command.sections, ...commonSections] }
    const columns = Math.min(world.stdout.columns(), 120)
    world.stdout.write(helpPage(page, { columns, isComplete: argv.includes('--help-all') }))
    return 0
  }
  // Loads logger and metrics, which nothing above needs.
  const { runCommand } = await import('./run-command.ts')
  return runCommand(command, argv, world).catch((error: unknown) => throwBetterHint(error, command, table))
}

function isHelp(word: string): boolean {
  return /^(-h|--help|--help-all)$/.test(word)
}

function overview(commands: readonly Command[]): string {
  const all = [...commands.map(({ name, summary }) => [name, summary] as const), ...Object.entries(helpers)]
  const rows = all.map(([name, summary]) => [`  ${name}`, summary])
  return `Backup and restore for Apache Kafka: topics and consumer-group offsets to object storage and back.

Usage: maxbrod <command> [flags]

${tableText(['Commands', ''], rows)}
maxbrod <command> --help shows the flags. Manual: README.md and docs/
`
}

/** Before the flags could be parsed, because a script that asks for JSON wants it for a wrong flag, too. */
function asksForJson({ argv, env }: World): boolean {
  return /(^|\n)(-o|--?output)[=\n]json(\n|$)/i.test(argv.join('\n')) || env['OUTPUT'] === 'json'
}
