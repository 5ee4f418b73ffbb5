// The action bar: for whom at the left, then what can be done with them; always at the foot.

import { byId } from "./page.js";
import { isProjecting } from "./projecting.js";
import { ACTIONS } from "./wall-actions.js";
import { countOf, offer } from "./wall-offer.js";
import { Menu } from "./wall-menu.js";
import { element, icon } from "./wall-tile.js";
import { toast } from "./wall-toast.js";
import { selectedText } from "./wall-choose.js";
import { t } from "./words.js";

const IN_THE_BAR = 4; // on a phone, beside More; what comes after them is in More there

export class WallBar {
  #page;
  #tiles;
  #chooser;
  #selection;
  #context;
  #buttons = new Map();
  #written = "";
  #busy = false;

  /** `views()` gives the entries of the menu that are about the wall itself. */
  constructor(page, tiles, chooser, selection, context, views) {
    this.#page = page;
    this.#tiles = tiles;
    this.#chooser = chooser;
    this.#selection = selection;
    this.#context = context;
    byId("acts").prepend(...ACTIONS.map((action, at) => this.#button(action, at)));
    byId("scope-clear").addEventListener("click", () => chooser.clear());
    const menu = () => [...this.#overflow(), ...views()];
    new Menu(byId("more"), byId("more-list"), page.icons, menu);
    byId("results-close").addEventListener("click", () => byId("results").close());
  }

  /** The tiles that an action touches: those selected, or else all that no filter hides. */
  get scope() {
    const all = [...this.#tiles.values()];
    return all.filter(({ number, element: li }) =>
      this.#selection.size > 0 ? this.#selection.has(number) : li.isConnected);
  }

  #button(action, at) {
    const label = element("span", "", action.word());
    const count = element("span", "act-count");
    const button = element("button", "act", icon(this.#page.icons, action.icon), label, count);
    button.type = "button";
    button.dataset.action = action.name;
    button.classList.toggle("only-wide", at >= IN_THE_BAR);
    button.addEventListener("click", () => this.run(action));
    this.#buttons.set(action, { button, count });
    return button;
  }

  /** What a narrow bar has no room for; a wide one has it all. */
  #overflow() {
    const hidden = ACTIONS.filter((action) => this.#buttons.get(action).button.offsetParent === null);
    const entries = hidden.map((action) => ({
      word: action.word(), icon: action.icon, key: action.key,
      reason: this.#offer(action, this.scope).reason, run: () => this.run(action),
    }));
    return hidden.length > 0 ? [...entries, null] : [];
  }

  #offer(action, tiles) {
    return offer(action, tiles, {
      empty: this.#tiles.size === 0 ? t("There is no workstation.") : t("No workstation is shown."),
      one: t("Select one workstation for this."),
    });
  }

  /** Write what has changed: the scope, and what it can do. */
  write() {
    const tiles = this.scope;
    const offers = ACTIONS.map((action) => [action, this.#offer(action, tiles)]);
    const scope = this.#scopeText(tiles);
    const clears = this.#chooser.isActive;
    const key = JSON.stringify([scope, clears, offers.map(([, { reason, able }]) => [reason, able.length])]);
    if (key === this.#written) {
      return;
    }
    this.#written = key;
    byId("scope-text").textContent = scope;
    byId("scope-clear").hidden = !clears;
    for (const [action, offered] of offers) {
      this.#writeButton(action, offered, tiles);
    }
  }

  #scopeText(tiles) {
    const all = tiles.length;
    if (this.#selection.size > 0) {
      return selectedText(all, tiles.filter((tile) => !tile.element.isConnected).length);
    }
    if (all < this.#tiles.size) {
      return t("Shown: {n} of {all} workstations", { n: all, all: this.#tiles.size });
    }
    if (this.#page.kind === "class") {
      return all === 1 ? t("Whole class, 1 workstation") : t("Whole class, {n} workstations", { n: all });
    }
    return all === 1 ? t("Whole room, 1 workstation") : t("Whole room, {n} workstations", { n: all });
  }

  #writeButton(action, offered, tiles) {
    const { button, count } = this.#buttons.get(action);
    count.textContent = countOf(offered, tiles);
    const hint = offered.reason ?? (action.key ? `${action.word()} (${action.key})` : "");
    button.title = hint;
    if (offered.reason === null) {
      button.removeAttribute("aria-disabled");
      button.removeAttribute("aria-description");
    } else {
      button.setAttribute("aria-disabled", "true");
      button.setAttribute("aria-description", offered.reason);
    }
  }

  /** Do it with all of the scope that can; say why not where none can. */
  async run(action) {
    const { able, reason } = this.#offer(action, this.scope);
    if (reason !== null) {
      toast(t("{what}: {reason}", { what: action.word(), reason }));
      return;
    }
    const { button } = this.#buttons.get(action);
    if (this.#busy) {
      return; // pressed twice
    }
    this.#busy = true;
    button.setAttribute("aria-busy", "true");
    try {
      const results = await action.run(able, this.#context);
      if (results) {
        this.#tell(action, results);
      }
    } finally {
      this.#busy = false;
      button.removeAttribute("aria-busy");
    }
  }

  #tell(action, results) {
    const failed = results.filter(({ message }) => message !== null);
    const ok = results.length - failed.length;
    if (failed.length === 0) {
      toast(action.done(ok));
      return;
    }
    const [{ tile, message }] = failed;
    const first = t("{what}: {reason}", { what: tile.name, reason: message });
    const text = results.length === 1
      ? first
      : t("{ok} of {n} workstations. {failed}", { ok, n: results.length, failed: first });
    const again = { word: t("Details"), run: () => this.#show(action, failed) };
    toast(text, { failed: true, action: again });
  }

  /** The panel that lists who failed, each with its reason. */
  #show(action, failed) {
    byId("results-title").textContent = action.word();
    const named = isProjecting() ? ({ name }) => name : ({ title, name }) => `${title} (${name})`;
    byId("results-list").replaceChildren(...failed.map(({ tile, message }) =>
      element("li", "", element("strong", "", named(tile)), element("span", "", message))));
    byId("results").showModal();
  }
}
