// When pictures are drawn: at once while few come, else all in one burst a second. Pure.
//
// A browser's work is mostly per frame it puts together, not per picture in it.

export const FEW = 4; // pictures in one to two seconds that are drawn as they come
export const QUIET_BURSTS = 2; // a tile that stood still for so many waits for none

export class Bursts {
  #draw;
  #waiting = new Map(); // the newest picture of each tile
  #drawnIn = new Map(); // the number of the last burst before
  #bursts = 0;
  #came = 0;
  #cameBefore = 0;

  /** `draw(pictures)` is called with at most one picture of each tile. */
  constructor(draw) {
    this.#draw = draw;
  }

  take(picture) {
    this.#came += 1;
    const still = this.#bursts - (this.#drawnIn.get(picture.number) ?? -Infinity);
    if (this.#cameBefore + this.#came <= FEW || still >= QUIET_BURSTS) {
      this.#waiting.delete(picture.number);
      this.#give([picture]);
    } else {
      this.#waiting.set(picture.number, picture);
    }
  }

  /** Draw all that waits; to be called once a second. False where there is nothing. */
  burst() {
    const pictures = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#bursts += 1;
    [this.#cameBefore, this.#came] = [this.#came, 0];
    if (pictures.length > 0) {
      this.#give(pictures);
    }
    return pictures.length > 0;
  }

  #give(pictures) {
    for (const { number } of pictures) {
      this.#drawnIn.set(number, this.#bursts);
    }
    this.#draw(pictures);
  }

  /** What waits is not drawn any more. */
  clear() {
    this.#waiting.clear();
    this.#drawnIn.clear();
  }
}
