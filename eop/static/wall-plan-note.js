// What is said of the seating plan above the wall, with what one can do about it.

import { CallError } from "./api.js";
import { element } from "./wall-tile.js";
import { t } from "./words.js";

export const byId = (id) => document.getElementById(id);

/** Why a call failed, as a sentence. */
export function reasonOf(error) {
  return error instanceof CallError && error.status !== 0 ? error.message : t("the server does not answer.");
}

export class PlanNote {
  #note = byId("plan-note");

  /** Show a text; `choices` are `[label, what it does]`. `say` says it aloud. */
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
  }

  hide() {
    this.#note.hidden = true;
  }
}
