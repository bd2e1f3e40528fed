// The head of the pages beside the chat.

import { badge } from './badge.js'
import { h } from './dom.js'
import { tr } from './i18n.js'
import { brand, languageButton } from './sidebar.js'

/** @param {boolean} [live]  whether the page keeps a connection, whose state is worth showing */
export const pageHead = (live = true) =>
  h(
    'header',
    { class: 'page-head' },
    h('a', { class: 'skip', href: '#main' }, tr('skip')),
    brand(),
    h('span', { class: 'space' }),
    live && badge(),
    languageButton(),
  )
