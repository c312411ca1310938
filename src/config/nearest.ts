/** The name that was probably meant; undefined when none is near. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(given.length / 3))
  const ranked = names
    .map(name => ({ name, edits: editsBetween(given, name) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits)
  return ranked[0]?.name ?? names.find(name => given.length >= 3 && name.includes(given))
}

/** How many letters must be put in, taken out, replaced or swapped with their neighbour. */
function editsBetween(a: string, b: string): number {
  // edits[i][j] is the answer for the first i letters of a and the first j of b.
  const edits: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const of = (i: number, j: number) => edits[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    edits.push(row)
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const replaced = of(i - 1, j - 1) + (isSame ? 0 : 1)
      const swapped = isSwap ? of(i - 2, j - 2) + 1 : Infinity
      row.push(Math.min(of(i - 1, j) + 1, of(i, j - 1) + 1, replaced, swapped))
    }
  }
  return of(a.length, b.length)
}
