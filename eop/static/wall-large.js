// Which pictures are wanted larger than the wall's own, by how many places of the page.

/** `changed()` is called when the numbers wanted have changed. */
export class Large {
  #wanted = new Map(); // number → how often
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  get numbers() {
    return [...this.#wanted.keys()].sort((a, b) => a - b);
  }

  /** Want these large; gives what ends it. */
  want(numbers) {
    this.#count(numbers, 1);
    let wanted = true;
    return () => {
      if (wanted) {
        wanted = false;
        this.#count(numbers, -1);
      }
    };
  }

  #count(numbers, step) {
    for (const number of numbers) {
      const count = (this.#wanted.get(number) ?? 0) + step;
      if (count > 0) {
        this.#wanted.set(number, count);
      } else {
        this.#wanted.delete(number);
      }
    }
    this.#changed();
  }
}
