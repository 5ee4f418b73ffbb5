// Which workstations are selected, and from where a range extends. Pure.

/** `changed()` is called after each change. Workstations are known by their numbers. */
export class Selection {
  #chosen = new Set();
  #before = new Set(); // what was selected when the range began
  #anchor = null;
  #last = null; // the end of the range
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  get size() {
    return this.#chosen.size;
  }

  has(number) {
    return this.#chosen.has(number);
  }

  /** Select one more, or one less; a range then begins there. */
  toggle(number, on = !this.has(number)) {
    const chosen = new Set(this.#chosen);
    if (on) {
      chosen.add(number);
    } else {
      chosen.delete(number);
    }
    this.#begin(number, chosen);
    this.#become(chosen);
  }

  /** Select from where the range began to `end`; one walks from `start`, which may begin another. */
  extend(start, end, order) {
    const begins = start !== null && start !== this.#last;
    if (begins || !order.includes(this.#anchor)) {
      this.#begin(start ?? end, this.#chosen);
    }
    this.#last = end;
    const [from, to] = [order.indexOf(this.#anchor), order.indexOf(end)].sort((a, b) => a - b);
    if (from >= 0) {
      this.#become(new Set([...this.#before, ...order.slice(from, to + 1)]));
    }
  }

  /** Select all of these, beside what is selected. */
  add(numbers) {
    const chosen = new Set([...this.#chosen, ...numbers]);
    this.#begin(this.#anchor, chosen);
    this.#become(chosen);
  }

  /** Select these and no others. */
  replace(numbers) {
    this.#begin(null, new Set(numbers));
    this.#become(new Set(numbers));
  }

  clear() {
    this.replace([]);
  }

  /** Forget a workstation that is no longer there. */
  forget(number) {
    this.#before.delete(number);
    if (this.has(number)) {
      this.#become(new Set([...this.#chosen].filter((other) => other !== number)));
    }
  }

  #begin(anchor, chosen) {
    this.#anchor = anchor;
    this.#last = anchor;
    this.#before = new Set(chosen);
  }

  #become(chosen) {
    const before = this.#chosen;
    this.#chosen = chosen;
    if (chosen.size !== before.size || [...chosen].some((number) => !before.has(number))) {
      this.#changed();
    }
  }
}
