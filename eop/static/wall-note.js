// What lasts above the wall: the link is lost, the session has ended; and that it is back.

import { t, timeOfDay } from "./words.js";

export class WallNote {
  #page;
  #note = document.getElementById("link-note");
  #text = document.getElementById("link-text");
  #shout = document.getElementById("shout");
  #say = document.getElementById("say");
  #lost = null;
  #closed = false;

  constructor(page) {
    this.#page = page;
  }

  /** The link is lost; the next try is in `wait` ms, the newest picture is of `pictured`. */
  lost(wait, pictured) {
    if (this.#closed) {
      return; // that is known, and why
    }
    const first = this.#lost === null;
    this.#lost = { next: performance.now() + wait, pictured };
    this.tick();
    this.#note.hidden = false;
    if (first) {
      this.#shout.textContent = t("Connection to the server lost.");
    }
  }

  /** Count down to the next try, once a second. */
  tick() {
    if (this.#lost === null) {
      return;
    }
    const n = Math.max(0, Math.ceil((this.#lost.next - performance.now()) / 1000));
    const { pictured } = this.#lost;
    this.#text.textContent = pictured === null
      ? t("Connection to the server lost. Trying again in {n} s.", { n })
      : t("Connection to the server lost. Pictures date from {time}. Trying again in {n} s.", {
        time: timeOfDay(pictured),
        n,
      });
  }

  /** An administrator has closed all screens; the link tries on by itself. */
  closed() {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#lost = null;
    const text = t("An administrator has closed all screens.");
    const hope = t("They come back here when they are allowed again.");
    this.#text.textContent = `${text} ${hope}`;
    this.#note.hidden = false;
    this.#shout.textContent = text;
  }

  /** The link is there (again). */
  restored() {
    this.#note.hidden = true;
    this.#shout.textContent = "";
    if (this.#lost !== null || this.#closed) {
      this.#lost = null;
      this.#closed = false;
      this.#say.textContent = t("Connection restored.");
    }
  }

  /** No try will follow: say why, and what to do. */
  ended(error) {
    this.#lost = null;
    const [text, label, address] = this.#lastWords(error);
    const way = document.createElement("a");
    way.href = address;
    way.textContent = label;
    this.#text.replaceChildren(text, " ", way);
    this.#note.dataset.tone = "bad";
    this.#note.hidden = false;
    this.#shout.textContent = text;
  }

  #lastWords(error) {
    if (error.status === 401) {
      return [t("Your session has ended. Sign in again, nothing is lost."), t("Sign in"),
        this.#page.login];
    }
    if (error.code === "csrf") {
      return [t("You have signed in anew since this page was opened."), t("Load it again"), ""];
    }
    return [error.message, t("Another room or class"), "./"];
  }
}
