// Selecting on the wall: by check box, click with Ctrl or Shift, rubber band, touch and keyboard.

import { t } from "./words.js";

const LONG_PRESS_MS = 450; // before the browser opens its own menu of a link
const STEADY_PX = 10; // a finger moves so far without meaning to
const SAY_MS = 400; // a range or a band changes often; its end is said
const WALKING = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

export class Chooser {
  #wall;
  #tiles;
  #selection;
  #button = document.getElementById("choose");
  #choosing = false;
  #shift = false;
  #press = 0; // a finger rests: the time after which it selects
  #pressed = false; // and has selected: what it clicks on release counts nothing
  #touched = null; // where it began to rest
  #saying = 0;
  #changed;

  /** `changed()` is called when choosing begins or ends. */
  constructor(wall, tiles, selection, changed) {
    this.#changed = changed;
    this.#wall = wall;
    this.#tiles = tiles;
    this.#selection = selection;
    this.#button.addEventListener("click", () => this.#choose(!this.#choosing));
    wall.addEventListener("click", (event) => this.#clicked(event), { capture: true });
    wall.addEventListener("change", (event) => this.#ticked(event));
    wall.addEventListener("keydown", (event) => this.#key(event));
    wall.addEventListener("pointerdown", (event) => this.#down(event));
    window.addEventListener("pointermove", (event) => this.#moved(event));
    wall.addEventListener("contextmenu", (event) => {
      if (this.#touched) {
        event.preventDefault(); // a finger that is held selects
      }
    });
    for (const name of ["pointerup", "pointercancel"]) {
      window.addEventListener(name, () => this.#up());
    }
  }

  /** The numbers of the tiles that are shown, in their order. */
  get shown() {
    return [...this.#wall.querySelectorAll(".tile")].map(numberOf);
  }

  get isActive() {
    return this.#choosing || this.#selection.size > 0;
  }

  selectAll() {
    this.#selection.add(this.shown);
  }

  clear() {
    this.#choose(false);
    this.#selection.clear();
  }

  #choose(yes) {
    this.#choosing = yes;
    this.#button.setAttribute("aria-pressed", String(yes));
    this.#wall.toggleAttribute("data-choosing", yes);
    this.#changed();
  }

  /** Show on the tiles what is selected, and say it when it has settled. */
  draw() {
    for (const tile of this.#tiles.values()) {
      const selected = this.#selection.has(tile.number);
      if (tile.selected !== selected) {
        tile.selected = selected;
      }
    }
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => {
      document.getElementById("say").textContent = selectedText(this.#selection.size);
    }, SAY_MS);
  }

  #clicked(event) {
    const tile = event.target.closest(".tile");
    if (event.target.matches("input")) {
      this.#shift = event.shiftKey;
      return;
    }
    if (!event.target.closest(".tile-open") || event.detail === 0) {
      return; // a key: Enter opens
    }
    if (this.#pressed) {
      this.#pressed = false;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const toggles = event.ctrlKey || event.metaKey || this.#choosing;
    if (toggles || event.shiftKey) {
      event.preventDefault();
      this.#take(numberOf(tile), event.shiftKey);
      tile.querySelector(".tile-open").focus({ preventScroll: true });
    }
  }

  #ticked(event) {
    if (event.target.matches(".tile-check input")) {
      this.#take(numberOf(event.target.closest(".tile")), this.#shift);
      this.#shift = false;
      this.draw(); // a range may leave the box as it was
    }
  }

  #take(number, isRange) {
    if (isRange) {
      this.#selection.extend(null, number, this.shown);
    } else {
      this.#selection.toggle(number);
    }
  }

  #key(event) {
    const tile = event.target.closest(".tile");
    if (!tile || event.altKey || event.defaultPrevented && !event.shiftKey) {
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
      event.preventDefault();
      this.selectAll();
    } else if (event.key === " " && event.target.matches(".tile-open") && !event.ctrlKey) {
      event.preventDefault();
      this.#take(numberOf(tile), event.shiftKey);
    } else if (event.shiftKey && WALKING.has(event.key)) {
      const reached = document.activeElement.closest(".tile"); // the walk has been done before
      if (reached) {
        this.#selection.extend(numberOf(tile), numberOf(reached), this.shown);
      }
    }
  }

  #down(event) {
    this.#up();
    this.#pressed = false;
    if (event.pointerType !== "touch" || !event.target.closest(".tile-open")) {
      return;
    }
    const number = numberOf(event.target.closest(".tile"));
    this.#touched = event;
    this.#press = setTimeout(() => {
      this.#pressed = true;
      this.#choose(true);
      this.#selection.toggle(number, true);
    }, LONG_PRESS_MS);
  }

  #moved({ clientX, clientY }) {
    const from = this.#touched;
    if (from && Math.hypot(clientX - from.clientX, clientY - from.clientY) > STEADY_PX) {
      this.#up();
    }
  }

  #up() {
    clearTimeout(this.#press);
    this.#touched = null;
  }
}

export function numberOf(tile) {
  return Number(tile.dataset.number);
}

/** How many are selected, and how many of them a filter hides. */
export function selectedText(n, hidden = 0) {
  if (n === 0) {
    return t("Nothing selected");
  }
  if (hidden > 0) {
    return t("{n} workstations selected, {hidden} not shown", { n, hidden });
  }
  return n === 1 ? t("1 workstation selected") : t("{n} workstations selected", { n });
}
