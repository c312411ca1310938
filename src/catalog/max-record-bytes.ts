import { bytes } from '../config/kinds-of-number.ts'

/** The option of every command that reads records of data files: the limit is the same for all of them. */
export const maxRecordBytes = bytes({
  default: '128MiB',
  min: '1KiB',
  max: '1GiB',
  isAdvanced: true,
  doc: 'Refuse files with larger records. This bounds memory against damaged or hostile files.',
})
