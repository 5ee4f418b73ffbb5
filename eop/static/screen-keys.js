// Keys that a browser keeps for itself, modifiers that stay down for the next key, the layout.

import { keep, kept } from "./kept.js";
import { byId } from "./page.js";
import { KEYSYMS } from "./typed-text.js";
import { t } from "./words.js";

const all = (selector) => [...document.querySelectorAll(selector)];

export class Keys {
  #rfb = null;
  #menu = byId("keys");
  #held = new Set();

  constructor() {
    for (const button of all("[data-keys]")) {
      button.addEventListener("click", () => this.#press(button.dataset.keys.split(" ")));
    }
    for (const button of all("[data-sticky]")) {
      button.addEventListener("click", () => this.#hold(button.dataset.sticky));
    }
    for (const button of all("[data-layout]")) {
      button.addEventListener("click", () => this.#lay(button.dataset.layout));
    }
    byId("caps")?.addEventListener("click", () => this.#switchCaps());
    this.#lay(kept("layout", ["character", "position"]));
  }

  /** Send to that connection, or to none: what is held down is forgotten with it. */
  use(rfb) {
    this.#rfb = rfb;
    this.#held.clear();
    this.#show();
    if (this.#menu) {
      this.#menu.hidden = rfb === null;
      this.#menu.open = false;
      byId("caps").hidden = true;
    }
    if (rfb !== null) {
      rfb.byPosition = kept("layout", ["character", "position"]) === "position";
      rfb.addEventListener("struck", () => this.#letGo());
      rfb.addEventListener("locks", () => this.#tellCaps(rfb));
    }
  }

  /** Strike keys by their keysyms, as a text does. */
  type(keysyms) {
    for (const keysym of keysyms) {
      this.#rfb?.sendKey(keysym, "", true);
      this.#rfb?.sendKey(keysym, "", false);
    }
  }

  #press(codes) {
    if (this.#rfb === null) {
      return;
    }
    for (const code of codes) {
      this.#rfb.sendKey(KEYSYMS[code], code, true);
    }
    for (const code of [...codes].reverse()) {
      this.#rfb.sendKey(KEYSYMS[code], code, false);
    }
    this.#back();
  }

  /** To the picture, where a menu was used; the tablet's keyboard keeps the focus it has. */
  #back() {
    if (this.#menu.open) {
      this.#menu.open = false;
      this.#rfb.focus();
    }
  }

  #hold(code) {
    if (this.#rfb === null) {
      return;
    }
    const down = !this.#held.delete(code);
    if (down) {
      this.#held.add(code);
    }
    this.#rfb.sendKey(KEYSYMS[code], code, down);
    this.#show();
    if (down) {
      this.#back();
    }
  }

  /** A key was struck: what was held for it goes up. */
  #letGo() {
    const held = [...this.#held];
    this.#held.clear();
    for (const code of held) {
      this.#rfb?.sendKey(KEYSYMS[code], code, false);
    }
    this.#show();
  }

  #show() {
    for (const button of all("[data-sticky]")) {
      button.setAttribute("aria-pressed", String(this.#held.has(button.dataset.sticky)));
    }
  }

  #lay(layout) {
    keep("layout", layout);
    for (const button of all("[data-layout]")) {
      button.setAttribute("aria-pressed", String(button.dataset.layout === layout));
    }
    if (this.#rfb !== null) {
      this.#rfb.byPosition = layout === "position";
      this.#back();
    }
  }

  #switchCaps() {
    if (this.#rfb !== null) {
      this.#rfb.keepCapsLock = !this.#rfb.capsLock;
      this.#press(["CapsLock"]);
    }
  }

  #tellCaps(rfb) {
    if (rfb === this.#rfb) {
      const on = rfb.capsLock === true;
      byId("caps").hidden = false;
      byId("caps").setAttribute("aria-pressed", String(on));
      byId("caps-word").textContent = on ? t("Caps Lock: on") : t("Caps Lock: off");
      byId("caps-flag").hidden = !on;
    }
  }
}
