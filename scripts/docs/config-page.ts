import { allCommands, commandTable } from '../../src/commands/command-table.ts'
import { commonSections } from '../../src/commands/common-sections.ts'
import { otherFlags } from '../../src/commands/other-flags.ts'
import type { Declared } from '../../src/config/declared.ts'
import { dashed, declaredOptions } from '../../src/config/declared.ts'
import type { Option } from '../../src/config/option.ts'
import type { Section } from '../../src/config/section.ts'
import { generatedFrom, markdownTable } from './markdown.ts'

export async function configPage(): Promise<string> {
  const commands = await allCommands(commandTable)
  const users = new Map<Section, string[]>(commonSections.map(section => [section, ['every command']]))
  for (const { name, sections } of commands) {
    for (const section of sections) users.set(section, [...(users.get(section) ?? []), `\`maxbrod ${name}\``])
  }
  const parts = [...users].map(([section, commandNames]) => sectionPart(section, commandNames))
  return `${generatedFrom('the options.ts files of src/')}

# Options

Every option is a flag and an environment variable. A flag counts before a variable, a variable before the default; an empty variable
counts as not set. Flags are written with two dashes or one, with \`=\` or a blank before the value. Unknown flags are refused.

\`maxbrod config show backup\`, with flags and environment as for \`backup\`, prints the value of each option and who says so; secrets are masked.
\`source <(maxbrod completion bash)\` completes commands and flags in bash; \`zsh\` and \`fish\` get scripts of their own.

${kinds}
${parts.join('\n')}
## Names of other programs

These work, too, and are read as those programs read them: expressions of kafka-data-keep are separated by commas and match any part of a
name. Names of flags are those of kafka-data-keep, of kafka-backup (\`--topic\`, \`--continuous\`, …), and of backup connectors (\`--flush.size\`, …).
Where a default differs, ours counts; docs/migration.md has a table of them.

${foreignTable([...users.keys()])}

These are refused, by name, with what does the same here:

${insteadTable()}
`
}

const kinds = `| kind | how to write it |
| --- | --- |
| SIZE | \`5MiB\`, \`1.5GiB\`, \`500kB\`, or bytes: \`1048576\`. \`5M\` is refused, it could be either. |
| SIZE/s | A size, with or without \`/s\`. |
| DURATION | \`500ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`7d\`. A number without a unit is refused. |
| TIME | \`2026-11-21T05:30:00Z\` or with an offset, \`2026-11-21\` for its first moment in UTC, seconds or milliseconds since 1970. |
| REGEX | A regular expression of JavaScript that must match the whole name: \`orders\` does not match \`reorders\`. Repeat the flag for several; in a variable, blanks or line ends separate them. Not a glob: any text is \`.*\`. |
| FROM=TO | Repeat the flag for several; in a variable, blanks separate them. |
| list | Repeat the flag, or separate by commas. |
| on or off | \`--once\`, \`--once=false\`, \`--no-once\`; in a variable \`true\`, \`false\`, \`yes\`, \`no\`, \`on\`, \`off\`, \`1\`, \`0\`. |
| secret | There is no flag for it, because everybody on a host sees command lines: a variable, or a file named by a flag or by the variable with \`_FILE\` behind it. |
`

function sectionPart(section: Section, users: readonly string[]): string {
  const rows = declaredOptions([section]).map(declared => [
    names(declared),
    declared.variables
      .filter(({ isForeign }) => !isForeign)
      .map(({ name }) => `\`${name}\``)
      .join(' '),
    declared.option.default.map(text => `\`${text}\``).join(' '),
    `${declared.option.doc}${bounds(declared.option)}`,
  ])
  const table = markdownTable(['flag', 'variable', 'default', 'meaning'], rows)
  return `## ${section.name}\n\nOf ${users.join(', ')}.\n\n${table}\n`
}

function names({ flag, option: { aliases, kind, isRequired, isOperand } }: Declared): string {
  const flags = [flag, ...aliases].map(name => `\`${dashed(name)}\``).join(', ')
  return `${flags}${kind.placeholder === '' ? '' : ` ${kind.placeholder}`}${isRequired ? ' (required)' : ''}${isOperand ? ', or without the flag' : ''}`
}

function bounds({ kind: { min, max } }: Option): string {
  const words = [
    ...(min === undefined || min === '0' ? [] : [`at least ${min}`]),
    ...(max === undefined || max === '65535' ? [] : [`at most ${max}`]),
  ].join(', ')
  return words === '' ? '' : ` ${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

function insteadTable(): string {
  const rows = otherFlags.map(({ flags, of, instead }) => [
    flags.map(name => `\`-${name}\``).join(', '),
    of === undefined ? '' : of.join(', '),
    instead,
  ])
  return markdownTable(['name', 'of', 'in its place'], rows)
}

function foreignTable(sections: readonly Section[]): string {
  const rows = sections.flatMap(section =>
    declaredOptions([section]).flatMap(({ flag, option: { foreign } }) =>
      foreign.map(({ flag: other, env }) => [
        [other === undefined ? '' : `\`-${other}\``, env === undefined ? '' : `\`${env}\``]
          .filter(name => name !== '')
          .join(', '),
        `\`${dashed(flag)}\``,
        section.name,
      ]),
    ),
  )
  return markdownTable(['name', 'option', 'of'], rows)
}
