// As much of a browser as the modules ask for when they are loaded.
const kept = new Map()
globalThis.localStorage = { getItem: name => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) }
globalThis.document = { documentElement: {}, querySelectorAll: () => [] }
Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en-GB'], language: 'en-GB', platform: '' }, configurable: true })
