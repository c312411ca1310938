/**
 * Text as it may be printed: what others have put into names and messages moves no cursor and changes no colour, title or clipboard
 * of a terminal. Line ends and tabs stay. Within a string of JSON it means the same.
 */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}--[\n\t]]/gv, control => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
