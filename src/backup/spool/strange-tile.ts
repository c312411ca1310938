import { SPOOL_FORMAT, decodeLines } from './spool-notes.ts'

/** What is left in the spool of a tile whose notes this version cannot go on with. */
export interface StrangeTile {
  readonly why: string
  /** Undefined where the notes do not tell; the offset behind it may lie further on. */
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly from: number | undefined
  readonly to: number | undefined
}

/**
 * What to say of notes that cannot be used, before they are removed with their blocks. Nothing that they tell is relied upon:
 * another version may have given it another meaning.
 */
export function strangeTile(notes: Buffer): StrangeTile {
  const lines = [...decodeLines(notes)].map(({ content }) => content as unknown)
  const [head, ...rest] = lines
  const format = valueOf(head, 'format')
  const ends = rest.map(note => integerOf(note, 'to') ?? integerOf(valueOf(note, 'gap'), 'to'))
  const topic = valueOf(head, 'topic')
  return {
    why: lines.length === 0 ? 'its notes are damaged from the first line on' : reasonOf(format),
    topic: typeof topic === 'string' ? topic : undefined,
    partition: integerOf(head, 'partition'),
    from: integerOf(head, 'from'),
    to: ends.findLast(end => end !== undefined),
  }
}

function reasonOf(format: unknown): string {
  if (format === SPOOL_FORMAT) return 'its notes are those of another file'
  const isNamed = typeof format === 'number' || typeof format === 'string'
  return isNamed ? `it is of format ${format}, which this version does not know` : 'its notes are of no known format'
}

function integerOf(of: unknown, name: string): number | undefined {
  const value = valueOf(of, name)
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

function valueOf(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Readonly<Record<string, unknown>>)[name] : undefined
}
