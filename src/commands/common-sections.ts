import type { SectionValues } from '../config/section.ts'
import { logOptions, outputOptions } from '../observe/options.ts'

/** What every command has beside its own. */
export const commonSections = [logOptions, outputOptions] as const

export type CommonValues = SectionValues<typeof commonSections>
