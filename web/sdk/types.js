/**
 * The objects of the protocol (docs/protocol.md), as JSDoc types. Nothing here runs.
 *
 * @typedef {{ id: string, name: string }} Person
 * @typedef {{ id: string, name: string, admin?: boolean }} User
 *
 * @typedef {object} Message
 * @property {number} seq  dense, from 1, per channel
 * @property {string} id   the publisher's key
 * @property {string} type
 * @property {Person | null} from  null: the server itself
 * @property {string} at   RFC 3339, UTC
 * @property {any} data
 *
 * @typedef {{ channel: string, from: string, to: string, messages: Message[], more?: boolean }} Batch
 * @typedef {{ from: string, reason: 'retention' | 'rollback' | 'deleted', resume?: string, tail?: string }} Gap
 * @typedef {{ channel: string, type: string, from: Person | null, data: any }} Signal
 * @typedef {{ channel: string, code: string, detail: string }} Ended
 * @typedef {{ channel: string, seq: number, position: string, id: string, at: string, durability: string }} Receipt
 *
 * @typedef {'websocket' | 'sse' | 'longpoll' | 'poll'} Transport
 * @typedef {'connecting' | 'open' | 'waiting' | 'offline' | 'closed'} State
 *
 * @typedef {object} Stats  Since the Parley object was made. Bytes are those this client can see: request line, own
 *   headers and body out; status line, readable headers and body in; WebSocket frames with their headers.
 * @property {number} requests  HTTP requests, WebSocket handshakes included
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} messages  delivered to subscriptions
 * @property {number | null} lastDelay  milliseconds from the newest message's `at` to its delivery; compares two
 *   machines' clocks, so it is only as good as they are
 *
 * @typedef {object} ConnectionInfo
 * @property {State} state
 * @property {Transport | null} transport  the one in use, or being tried
 * @property {Transport | null} forced  the one asked for by `transport` or `useTransport`; null: chosen by itself
 * @property {number | null} retryAt  when the next try comes, while waiting or offline (milliseconds since 1970)
 * @property {Stats} stats
 *
 * @typedef {object} SubscribeOptions
 * @property {string | number} [after]  a position; `'0'`: from the beginning; `'end'` (default): from now
 * @property {(message: Message, channel: string) => void} [onMessage]  each message once, in order
 * @property {(batch: Batch) => void} [onBatch]  after its messages went to onMessage; only what is new in it
 * @property {(gap: Gap & { channel: string }) => void} [onGap]  messages that cannot be had; reading goes on at `resume`
 * @property {(signal: Signal) => void} [onSignal]  only on WebSocket and SSE
 * @property {(ended: Ended) => void} [onEnded]  this channel is no longer read; the subscription is closed
 *
 * @typedef {object} Room
 * @property {string} id
 * @property {string} channel
 * @property {string} name
 * @property {string} topic
 * @property {boolean} private
 * @property {Person | null} owner
 * @property {number} members
 * @property {boolean} joined
 * @property {string} created
 *
 * @typedef {object} Conversation
 * @property {string} channel
 * @property {'room' | 'direct'} kind
 * @property {string} name
 * @property {string} topic
 * @property {boolean} private
 * @property {Person} [with]
 * @property {string} position
 * @property {number} read
 * @property {number} unread
 *
 * @typedef {{ channel: string, position: string, message: Message }} Found  a message that a search found
 * @typedef {object} SearchPage  may have few results, or none, and yet a `next`
 * @property {Found[]} results  the newest first
 * @property {string} [next]  give it to `before` to go on; absent: that was all
 * @property {string} [searched]  with `next`: back to when everything was looked through
 *
 * @typedef {{ id: number, text: string, count?: number, who?: Person[] }} VoteOption
 * @typedef {'always' | 'voted' | 'closed' | 'owner'} Results
 *
 * @typedef {object} Vote
 * @property {string} code
 * @property {string} channel
 * @property {string} question
 * @property {boolean} open
 * @property {number} version
 * @property {number} voters
 * @property {number} min
 * @property {number} max
 * @property {boolean} change
 * @property {boolean} named
 * @property {Results} results
 * @property {string} room
 * @property {Person} owner
 * @property {string} created
 * @property {string | null} closes
 * @property {boolean} visible
 * @property {VoteOption[]} options
 * @property {number[]} ballot
 * @property {boolean} mine
 * @property {string} [url]
 * @property {string} [present_url]
 *
 * @typedef {{ question: string, options: string[], min?: number, max?: number, room?: string, change?: boolean,
 *   named?: boolean, results?: Results, closes?: string, closes_in?: number }} NewVote
 * @typedef {{ open?: boolean, results?: Results, closes?: string | null, question?: string, options?: string[],
 *   min?: number, max?: number, change?: boolean, named?: boolean }} VoteChange
 *
 * @typedef {object} Clock
 * @property {() => number} now  milliseconds since 1970
 * @property {(fn: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 *
 * @typedef {object} Timeouts  milliseconds, unless said otherwise
 * @property {number} request  an ordinary request (15,000)
 * @property {number} wait  how long the server may hold a long poll, in seconds (25)
 * @property {Record<Transport, number>} hello  the first byte of the server's through a transport; doubled in each round that fails, up to fourfold
 * @property {number} poll  cadence of polls when the server advises none (2,000)
 * @property {number} ping  the answer to a ping sent when waking up (4,000)
 * @property {number} retryMin  ceiling of the first reconnect delay (1,000)
 * @property {number} retryMax  ceiling of all reconnect delays (30,000)
 * @property {number} climbMin  first try of a better transport (10,000)
 * @property {number} climbMax  (600,000)
 * @property {number} stable  a connection that lived shorter counts as failed; three of those in a row and a lower transport is taken (30,000)
 * @property {number} giveUpAfter  publishing is tried so long (60,000)
 *
 * @typedef {object} Hello
 * @property {number} [heartbeat]  seconds
 * @property {string} [node]
 * @property {User | null} [user]
 *
 * @typedef {object} Down  why a link is of no more use
 * @property {import('./errors.js').ParleyError} error
 * @property {number} [retryAfter]  seconds that the server asked to stay away
 *
 * @typedef {object} LinkEvents
 * @property {(hello: Hello) => void} hello  a byte of the server's has arrived through it
 * @property {(object: any) => void} object  batch, gap, signal or ended
 * @property {(down: Down) => void} down  once, and the last event
 *
 * @typedef {object} Link  One way of reading, in use or being tried. Reads what `subscriptions.wanted()` says.
 * @property {Transport} kind
 * @property {User | null | undefined} user  who the server says is connected; undefined: not known
 * @property {() => void} start
 * @property {() => void} sync  the wanted channels have changed
 * @property {(channel: string) => void} rewind  read this channel again from the wanted position
 * @property {() => void} check  is it still alive? (after sleep, or a change of network)
 * @property {() => void} close  no event comes after
 *
 * @typedef {object} Env  what links share
 * @property {import('./http.js').Http} http
 * @property {import('./subscriptions.js').Subscriptions} subscriptions
 * @property {Clock} clock
 * @property {Timeouts} timeouts
 * @property {Stats} stats
 * @property {() => number} random
 * @property {typeof globalThis.WebSocket | undefined} WebSocket
 */
export {}
