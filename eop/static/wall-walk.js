// Which of many are shown large, and which come next. Pure.

export const MOST_LARGE = 4;

/** A walk through a list of numbers, some at a time; the last step leads back to the first. */
export class Walk {
  #list = [];
  #at = 0;
  #size = 1;

  constructor(list, size = MOST_LARGE) {
    this.#list = [...list];
    this.#size = Math.max(1, Math.min(size, MOST_LARGE, list.length));
  }

  get shown() {
    return Array.from({ length: Math.min(this.#size, this.#list.length) },
      (_, step) => this.#list[(this.#at + step) % this.#list.length]);
  }

  get length() {
    return this.#list.length;
  }

  get size() {
    return this.#size;
  }

  /** The place of the first that is shown, from 1. */
  get place() {
    return this.#at + 1;
  }

  get isWhole() {
    return this.#size >= this.#list.length;
  }

  step(direction) {
    if (this.#list.length > 0) {
      const { length } = this.#list;
      this.#at = (((this.#at + direction * this.#size) % length) + length) % length;
    }
  }

  /** The same place in the list, so many at a time. */
  resized(size) {
    const walk = new Walk(this.#list, size);
    walk.#at = this.#at;
    return walk;
  }

  /** A workstation left. */
  without(number) {
    const list = this.#list.filter((other) => other !== number);
    const walk = new Walk(list, this.#size);
    walk.#at = list.length > 0 ? Math.min(this.#at, list.length - 1) : 0;
    return walk;
  }
}
