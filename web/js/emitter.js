/** An object that tells when it changed. */
export class Emitter {
  /** @type {Map<string, Set<(detail?: any) => void>>} */
  #listeners = new Map()

  /**
   * Calls listener at each event of the type; returns what stops that.
   * @param {string} type
   * @param {(detail?: any) => void} listener
   * @returns {() => void}
   */
  on(type, listener) {
    let set = this.#listeners.get(type)
    if (!set) this.#listeners.set(type, (set = new Set()))
    set.add(listener)
    return () => void set.delete(listener)
  }

  /** @param {string} type @param {any} [detail] */
  emit(type, detail) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(detail)
  }
}
