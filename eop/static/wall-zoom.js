// Press and hold: one picture as large as the window, in place, gone on release.

import { Follower } from "./wall-picture.js";
import { isLetter } from "./keys.js";

const HOLD_MS = 350; // a click is shorter
const STEADY_PX = 8; // who moves further is about to do something else

export class Zoom {
  #wall;
  #tiles;
  #large;
  #sprite;
  #place = document.getElementById("zoom");
  #follower = null;
  #release = null;
  #end = null;
  #timer = 0;
  #from = null;
  #byPointer = false;

  constructor(wall, tiles, large, sprite) {
    this.#wall = wall;
    this.#tiles = tiles;
    this.#large = large;
    this.#sprite = sprite;
    wall.addEventListener("pointerdown", (event) => this.#down(event));
    window.addEventListener("pointermove", (event) => this.#moved(event));
    for (const name of ["pointerup", "pointercancel", "blur"]) {
      window.addEventListener(name, () => this.#up());
    }
    wall.addEventListener("click", (event) => this.#clicked(event), { capture: true });
    wall.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("keyup", (event) => {
      if (event.key.toLowerCase() === "z" && !this.#byPointer) {
        this.close();
      }
    });
    document.addEventListener("visibilitychange", () => this.close());
  }

  #down(event) {
    this.#byPointer = false;
    const picture = event.target.closest(".tile-pic");
    const modified = event.ctrlKey || event.shiftKey || event.altKey || event.metaKey;
    if (!picture || event.pointerType === "touch" || event.button !== 0 || modified) {
      return; // a finger that is held selects
    }
    this.#from = event;
    const number = Number(picture.closest(".tile").dataset.number);
    this.#timer = setTimeout(() => {
      this.#byPointer = true;
      this.open(number);
    }, HOLD_MS);
  }

  #moved(event) {
    if (this.#from && Math.hypot(event.clientX - this.#from.clientX, event.clientY - this.#from.clientY) > STEADY_PX) {
      clearTimeout(this.#timer);
    }
  }

  #up() {
    clearTimeout(this.#timer);
    this.#from = null;
    this.close();
  }

  /** The click that ends a hold opens nothing. */
  #clicked(event) {
    if (this.#byPointer) {
      this.#byPointer = false;
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #key(event) {
    if (event.target.matches(".tile-open") && isLetter(event, "z")) {
      event.preventDefault();
      if (!event.repeat) {
        this.#byPointer = false;
        this.open(Number(event.target.closest(".tile").dataset.number));
      }
    }
  }

  get isOpen() {
    return this.#follower !== null;
  }

  open(number) {
    const tile = this.#tiles.get(number);
    if (!tile || this.isOpen) {
      return;
    }
    this.#release = this.#large.want([number]);
    this.#follower = new Follower(tile, this.#sprite);
    this.#place.replaceChildren(...this.#follower.element.querySelector(".tile-open").childNodes);
    // somebody may sign in meanwhile, whose name is not for the projector
    this.#end = tile.mirror(({ user }) => this.#place.toggleAttribute("data-free", user === null));
    this.#place.hidden = false;
  }

  close() {
    if (this.isOpen) {
      this.#follower.end();
      this.#end();
      this.#release();
      this.#follower = null;
      this.#place.hidden = true;
      this.#place.replaceChildren();
    }
  }
}
