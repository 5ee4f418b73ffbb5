// A tablet's own keyboard: a field that catches its text, and a row of the keys it lacks.

import { byId } from "./page.js";
import { KEYSYMS, edits, keysymsOf } from "./typed-text.js";

const PADDING = "\u00a0".repeat(32); // what the keyboard may erase before anything was typed
const LONGEST = 200; // characters kept in the field; keyboards look back to guess words
const PASSED = new Set(["Tab", "Escape", "Delete", "Home", "End", "PageUp", "PageDown",
  "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"]);

export class SoftKeyboard {
  #keys;
  #button = byId("soft");
  #field = byId("soft-text");
  #row = byId("soft-row");
  #before = PADDING;
  #rfb = null;

  /** `keys` strikes keysyms. */
  constructor(keys) {
    this.#keys = keys;
    if (this.#button === null) {
      return; // one may only look
    }
    this.#button.addEventListener("click", () => this.#open(this.#row.hidden));
    byId("soft-close").addEventListener("click", () => this.#open(false));
    this.#row.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays
    this.#field.addEventListener("input", (event) => this.#take(event.isComposing));
    this.#field.addEventListener("compositionend", () => this.#take(false));
    this.#field.addEventListener("keydown", (event) => this.#pass(event));
    window.visualViewport?.addEventListener("resize", () => this.#place());
    window.visualViewport?.addEventListener("scroll", () => this.#place());
  }

  use(rfb) {
    this.#rfb = rfb;
    if (this.#button !== null) {
      this.#button.hidden = rfb === null;
      if (rfb === null) {
        this.#open(false);
      }
    }
  }

  #open(open) {
    this.#row.hidden = !open;
    this.#button.setAttribute("aria-pressed", String(open));
    byId("one").toggleAttribute("data-soft", open);
    this.#forget();
    if (this.#rfb !== null) {
      this.#rfb.focusOnClick = !open; // a tap on the picture leaves the keyboard where it is
    }
    if (open) {
      this.#field.focus({ preventScroll: true });
      this.#place();
    } else if (document.activeElement === this.#field) {
      this.#field.blur();
    }
  }

  #forget() {
    this.#field.value = PADDING;
    this.#before = PADDING;
  }

  #take(isComposing) {
    const { erased, typed } = edits(this.#before, this.#field.value);
    this.#before = this.#field.value;
    this.#keys.type(Array(erased).fill(KEYSYMS.BackSpace));
    this.#keys.type(keysymsOf(typed.replaceAll("\u00a0", " ")));
    const left = this.#before.length;
    if (!isComposing && (left > LONGEST || left < PADDING.length / 2)) {
      this.#forget();
    }
  }

  /** Keys that write nothing into a field, and those that go with a modifier. */
  #pass(event) {
    if (event.isComposing || this.#rfb === null) {
      return;
    }
    if (PASSED.has(event.key)) {
      event.preventDefault();
      this.#keys.type([KEYSYMS[event.key]]);
    }
  }

  /** The row stands on the tablet's keyboard, wherever that ends. */
  #place() {
    const seen = window.visualViewport;
    if (seen && !this.#row.hidden) {
      const covered = Math.max(0, window.innerHeight - seen.height - seen.offsetTop);
      this.#row.style.insetBlockEnd = `${covered}px`;
      this.#row.toggleAttribute("data-raised", covered > 0);
    }
  }
}
