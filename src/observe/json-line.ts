/** One line of JSON. A 64-bit number that JavaScript cannot hold becomes text. */
export function jsonLine(value: object): string {
  return `${JSON.stringify(value, plainNumbers)}\n`
}

/** For JSON.stringify: bigints as numbers where that is exact, else as text. */
export function plainNumbers(_name: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}
