// The page of an address that leads nowhere.

import { fill, h, icon } from './dom.js'
import { tr } from './i18n.js'
import { pageHead } from './pagehead.js'

const main = h('main', { class: 'nothing', id: 'main' })
document.body.append(pageHead(false), main)
document.title = 'Parley'
fill(
  main,
  icon('compass'),
  h('h1', null, tr('notfound.title')),
  h('p', null, tr('notfound.text')),
  h('a', { class: 'button primary', href: '/' }, tr('toChat')),
)
