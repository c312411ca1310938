import { path } from '../config/kinds-of-text.ts'

/** One file serves all commands that look at the same backup. */
export const headerIndex = path({
  doc: 'Remember in this file what headers say, so that the next look reads new ones only. It can be removed at any time.',
})
