import { phrase, t } from './i18n.js'

/** @typedef {{ channel: string, name: string }} Named */

/** What a conversation is called: its name, and the lobby, while it has the name it came with, in the reader's language. @param {Named} of */
export const titleOf = ({ channel, name }) => (channel === 'room:lobby' && name === 'Lobby' ? t('lobby') : name)

/** The same, following the language. @param {Named} of */
export const title = of => phrase(() => titleOf(of))
