/** The words of the first command of a line, as far as pages need it: quotes, comments, and the end at a pipe or redirection. */
export function wordsOf(line: string): string[] {
  const words: string[] = []
  for (const [, single, double, plain, end] of line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"|>#&;]+)|([|>#&;])/g)) {
    if (end !== undefined) break
    words.push(single ?? double ?? plain ?? '')
  }
  return words
}
