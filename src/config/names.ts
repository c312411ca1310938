/** `minFileSize` → `min-file-size`. */
export function flagOf(key: string): string {
  return key.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** `min-file-size` → `MIN_FILE_SIZE`. */
export function variableOf(flag: string): string {
  return flag.replaceAll('-', '_').toUpperCase()
}
