// A button with a menu: arrows walk, Escape closes and gives the focus back, a press elsewhere closes.

import { element, icon } from "./wall-tile.js";

export class Menu {
  #button;
  #list;
  #sprite;
  #entries;

  /** `entries()`: `{word, icon, key, run, reason, pressed}` each, or `null` for a rule. */
  constructor(button, list, sprite, entries) {
    this.#button = button;
    this.#list = list;
    this.#sprite = sprite;
    this.#entries = entries;
    button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    button.addEventListener("keydown", (event) => {
      if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        event.preventDefault();
        this.open(event.key === "ArrowUp" ? -1 : 0);
      }
    });
    list.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("pointerdown", (event) => {
      if (!list.contains(event.target) && !button.contains(event.target)) {
        this.close(false);
      }
    });
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  #rule() {
    const rule = element("hr");
    rule.setAttribute("role", "separator");
    return rule;
  }

  #item({ word, icon: sign, key, run, reason = null, pressed }) {
    const item = element("button", "", icon(this.#sprite, sign), word);
    item.type = "button";
    item.tabIndex = -1;
    item.setAttribute("role", pressed === undefined ? "menuitem" : "menuitemcheckbox");
    if (pressed !== undefined) {
      item.setAttribute("aria-checked", String(pressed));
    }
    if (key) {
      item.append(element("kbd", "", key));
    }
    if (reason !== null) {
      item.setAttribute("aria-disabled", "true");
      item.title = reason;
    }
    item.addEventListener("click", () => {
      this.close();
      run();
    });
    return item;
  }

  open(at = 0) {
    const made = this.#entries().map((entry) => (entry === null ? this.#rule() : this.#item(entry)));
    this.#list.replaceChildren(...made);
    this.#list.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    this.#items.at(at)?.focus();
  }

  close(takesFocus = true) {
    if (!this.isOpen) {
      return;
    }
    this.#list.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (takesFocus) {
      this.#button.focus();
    }
  }

  get #items() {
    return [...this.#list.querySelectorAll("button")];
  }

  #key(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    if (event.key in steps) {
      event.preventDefault();
      items.at(steps[event.key] % items.length).focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
      }
      this.close();
    }
  }
}
