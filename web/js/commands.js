// What begins with a slash.

/**
 * @typedef {{ kind: 'text', text: string }
 *   | { kind: 'vote', question: string, options: string[] }
 *   | { kind: 'vote-dialog', question: string, options: string[] }
 *   | { kind: 'help' }
 *   | { kind: 'unknown', name: string }} Command
 */

/** Understands what was typed. A double slash begins a text with a slash. @param {string} input @returns {Command} */
export function parse(input) {
  const text = input.trim()
  if (!text.startsWith('/')) return { kind: 'text', text }
  if (text.startsWith('//')) return { kind: 'text', text: text.slice(1) }
  const [, name, rest] = /** @type {RegExpExecArray} */ (/^\/(\S*)\s*([\s\S]*)$/u.exec(text))
  if (name === 'help' || name === '') return { kind: 'help' }
  if (name !== 'vote') return name.includes('/') ? { kind: 'text', text } : { kind: 'unknown', name }
  const [question, ...options] = rest
    .split(/[|｜]/u)
    .map(part => part.trim())
    .filter(Boolean)
  return options.length >= 2 ? { kind: 'vote', question, options } : { kind: 'vote-dialog', question: question ?? '', options }
}
