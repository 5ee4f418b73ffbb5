// What is said of the seating plan above the wall, with what one can do about it.

import { CallError } from "./api.js";
import { byId } from "./page.js";
import { element } from "./wall-tile.js";
import { t } from "./words.js";

const SHOWN_MS = 30_000; // what went well is said for so long, and longer under pointer or focus

/** Why a call failed, as a sentence. */
export function reasonOf(error) {
  return error instanceof CallError && error.status !== 0 ? error.message : t("the server does not answer.");
}

export class PlanNote {
  #note = byId("plan-note");
  #leaving = 0;

  /** Show a text and say it aloud; `choices` are `[label, what it does]`. */
  show(text, tone, choices = []) {
    this.#note.dataset.tone = tone;
    byId("plan-note-text").textContent = text;
    byId("plan-note-buttons").replaceChildren(...choices.map(([label, action]) => {
      const button = element("button", "b", label);
      button.type = "button";
      button.addEventListener("click", () => {
        this.hide();
        action();
      });
      return button;
    }));
    this.#note.hidden = false;
    byId(tone === "ok" ? "say" : "shout").textContent = text;
    clearTimeout(this.#leaving);
    if (tone === "ok") {
      this.#leave();
    }
  }

  #leave() {
    this.#leaving = setTimeout(() => {
      if (this.#note.matches(":hover, :focus-within")) {
        this.#leave();
      } else {
        this.hide();
      }
    }, SHOWN_MS);
  }

  hide() {
    clearTimeout(this.#leaving);
    this.#note.hidden = true;
  }
}
