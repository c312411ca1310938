import type { Kind } from './option.ts'
import { kindOfOne } from './option.ts'
import { Unreadable } from './unreadable.ts'

/** From these nothing can be read at once: a worker reads back what it has put, and a planner every header. */
const SLOW_CLASSES = ['GLACIER', 'DEEP_ARCHIVE']

/** The name of a class; which ones there are is for the store to say. */
export function readStorageClass(text: string): string {
  if (!/^[A-Z][A-Z0-9_]*$/u.test(text))
    throw new Unreadable(`'${text}' is no storage class`, 'write it like STANDARD_IA')
  if (SLOW_CLASSES.includes(text)) {
    const hint = 'GLACIER_IR is as quick to read as STANDARD, and costs little to keep'
    throw new Unreadable(
      `from ${text} nothing can be read without hours of waiting, and a backup is read while it grows`,
      hint,
    )
  }
  return text
}

export const storageClassKind: Kind<string> = kindOfOne({ name: 'text', placeholder: 'CLASS' }, readStorageClass)
