// WCAG 2.2, 1.4.3 and 1.4.11: text has 4.5:1 on every surface it stands on, the borders of fields 3:1.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const css = readFileSync(new URL('../css/tokens.css', import.meta.url), 'utf8')
const colours = text => Object.fromEntries([...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(match => [match[1], match[2]]))
const [lightText, darkText] = css.split('@media')
const light = colours(lightText)
const themes = { light, dark: { ...light, ...colours(darkText) } }

const linear = channel => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4)
const luminance = hex => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => sum + weight * linear(parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16) / 255), 0)
function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}

const pairs = [
  ...['ground', 'raised', 'sunk', 'hover', 'bar', 'bar-lead'].map(surface => ['text', surface, 4.5]),
  ...['ground', 'raised', 'sunk', 'hover'].map(surface => ['text-2', surface, 4.5]),
  ...['ground', 'raised', 'sunk'].flatMap(surface => [['text-3', surface, 4.5], ['accent-text', surface, 4.5]]),
  ...['ground', 'raised'].flatMap(surface => [['good', surface, 4.5], ['bad', surface, 4.5], ['new', surface, 4.5], ['line-strong', surface, 3], ['accent', surface, 3]]),
  ['bad', 'bad-soft', 4.5], ['on-accent', 'accent', 4.5], ['on-accent', 'accent-strong', 4.5], ['accent-text', 'accent-soft', 4.5], ['ground', 'bad', 4.5], ['ground', 'text', 4.5],
]

for (const [name, theme] of Object.entries(themes)) {
  test(`contrast, ${name}`, () => {
    for (const [text, surface, least] of pairs) {
      const ratio = contrast(theme[text], theme[surface])
      assert.ok(ratio >= least, `${text} on ${surface}: ${ratio.toFixed(2)}, needs ${least}`)
    }
  })
}
