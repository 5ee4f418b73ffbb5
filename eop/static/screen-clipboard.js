// The panel of the clipboard: what was copied there, and text for there, pasted or typed.

import { byId } from "./page.js";
import { tell } from "./screen-say.js";
import { beyondLatin1, keysymsOf } from "./typed-text.js";
import { t } from "./words.js";

const MAX_CLIPBOARD = 256 * 1024; // a long text; more is a file
const MAX_TYPED = 2000; // characters struck one by one: a page, and a second or two

export class Clipboard {
  #rfb = null;
  #menu = byId("clipboard");
  #keys;
  #allowed;

  /** `keys` strikes keysyms; `allowed`: by the site's settings. */
  constructor(keys, allowed) {
    this.#keys = keys;
    this.#allowed = allowed;
    byId("clip-send")?.addEventListener("click", () => this.#send());
    byId("clip-copy")?.addEventListener("click", () => this.#copy());
    byId("clip-type")?.addEventListener("click", () => this.#type());
  }

  use(rfb) {
    this.#rfb = rfb;
    if (this.#menu) {
      this.#menu.hidden = rfb === null;
      this.#menu.open = false;
    }
    rfb?.addEventListener("clipboard", (event) => {
      byId("clip-text").value = event.detail.text.slice(0, MAX_CLIPBOARD);
    });
  }

  /** What was copied there is nobody else's. */
  forget() {
    if (this.#menu) {
      byId("clip-text").value = "";
      byId("clip-said").textContent = "";
    }
  }

  get #text() {
    return byId("clip-text").value.slice(0, MAX_CLIPBOARD);
  }

  #send() {
    if (this.#rfb !== null && this.#allowed) {
      const lost = beyondLatin1(this.#text);
      this.#rfb.clipboardPasteFrom(this.#text);
      this.#done(lost === 0
        ? t("Sent to the clipboard of the workstation.")
        : t("Sent. Characters its clipboard cannot hold became “?”: {n}. “Type it there” keeps them.", { n: lost }), lost > 0);
    }
  }

  #type() {
    if (this.#rfb !== null) {
      const typed = keysymsOf(this.#text).slice(0, MAX_TYPED);
      this.#rfb.focus();
      this.#keys.type(typed);
      this.#done(t("Typed there: {n} characters.", { n: typed.length }));
    }
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#text);
      this.#done(t("Copied to the clipboard of this computer."), true);
    } catch {
      byId("clip-text").select();
      this.#done(t("This browser does not allow it: press Ctrl+C."), true);
    }
  }

  #done(text, stay = false) {
    byId("clip-said").textContent = text;
    tell(text);
    if (!stay) {
      this.#menu.open = false;
      this.#rfb?.focus();
    }
  }
}
