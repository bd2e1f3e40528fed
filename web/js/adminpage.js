// The one-time link of the banner: makes its opener the administrator.

import { parley } from './client.js'
import { openDialog } from './dialog.js'
import { codeOf, describe } from './errors.js'
import { fill, h, icon } from './dom.js'
import { tr } from './i18n.js'
import { nameField, nameOf } from './names.js'
import { pageHead } from './pagehead.js'

const token = location.hash.slice(1)
// The token must not stay in the history of the browser.
history.replaceState(null, '', location.pathname)

const main = h('main', { class: 'nothing', id: 'main' }, h('span', { class: 'spinner' }))
document.body.append(pageHead(false), main)
document.title = 'Parley'

/** @param {string} glyph @param {import('./i18n.js').Phrase} title @param {import('./i18n.js').Phrase} text */
function say(glyph, title, text) {
  fill(main, icon(glyph), h('h1', null, title), h('p', null, text), h('a', { class: 'button primary', href: '/' }, tr('toChat')))
}

async function start() {
  if (!token) return say('alert', tr('admin.noToken'), tr('admin.noTokenText'))
  try {
    const user = await parley.session().catch((/** @type {unknown} */ error) => {
      if (codeOf(error) !== 'no_session') throw error
    })
    if (!user) {
      const named = await openDialog({
        title: tr('admin.name'),
        body: [h('p', { class: 'hint' }, tr('admin.nameText')), nameField('')],
        submit: tr('continue'),
        run: data => parley.signIn(nameOf(data)),
      }).done
      if (!named) return say('alert', tr('admin.notYet'), tr('admin.notYetText'))
    }
    await parley.claimAdmin(token)
    say('shield', tr('admin.done'), tr('admin.doneText'))
  } catch (error) {
    say('alert', describe(error), tr('admin.failedText'))
  }
}
void start()
