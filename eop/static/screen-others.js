// Who else controls this screen: told on the page, and asked about before one controls it, too.

import { namesOf } from "./controllers.js";
import { byId } from "./page.js";
import { t } from "./words.js";

const EVERY_MS = 5000;
const TIMEOUT_MS = 3000; // a site that does not answer keeps nobody from a screen

export class Others {
  #page;
  #address;
  #names = [];
  #agreed = () => {};

  constructor(page) {
    this.#page = page;
    this.#address = `${page.api}/workstations/${encodeURIComponent(page.workstation)}`;
    byId("others-cancel").addEventListener("click", () => byId("others-ask").close());
    byId("others-control").addEventListener("click", () => {
      byId("others-ask").close();
      this.#agreed();
    });
    setInterval(() => !document.hidden && this.look(), EVERY_MS);
  }

  /** Ask the site, write what is new, and give the names of the others. */
  async look() {
    try {
      const answer = await fetch(this.#address, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
      const told = await answer.json();
      this.#write(answer.ok ? namesOf(told.controllers ?? [], this.#page.who) : []);
    } catch {
      this.#write([]); // what is said of the link tells why
    }
    return this.#names;
  }

  #write(names) {
    if (names.join("\n") === this.#names.join("\n")) {
      return;
    }
    this.#names = names;
    const text = names.length > 0 ? t("Controlled by {names}", { names: names.join(", ") }) : "";
    byId("others").hidden = names.length === 0;
    byId("others-names").textContent = text;
    byId("say").textContent = text || t("Nobody else controls this screen now.");
  }

  /** Call `agreed` at once where nobody else controls the screen, else when one wants to all the same. */
  async ask(agreed, waits) {
    const names = await this.look();
    if (names.length === 0) {
      agreed();
      return;
    }
    waits();
    this.#agreed = agreed;
    byId("others-text").textContent = t("{names} controls this screen. Whatever both of you do there gets mixed.",
      { names: names.join(", ") });
    byId("others-ask").showModal();
  }
}
