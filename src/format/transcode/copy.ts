/** Up to this length a loop beats the call of `Buffer.copy` (measured on Node 24; the exact value matters little). */
const LOOP_BYTES = 40

/** Copies `source[from, to)` to `target` at `at`; returns the position behind the copy. */
export function copySpan(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  if (to - from > LOOP_BYTES) return at + source.copy(target, at, from, to)
  while (from < to) target[at++] = source[from++] as number
  return at
}
