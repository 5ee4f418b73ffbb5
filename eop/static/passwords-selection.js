// The students of a class: which are chosen, in which order they stand, and which are shown.

import { fold } from "./wall-order.js";
import { locale, t } from "./words.js";

const ORDERS = ["last", "first", "login"];

/** Compares two students by last name, first name or login; the others decide where those are equal. */
export function byOrder(order, language) {
  const collator = new Intl.Collator(language, { numeric: true, sensitivity: "base" });
  const keys = [order, ...ORDERS.filter((one) => one !== order)];
  return (one, other) => {
    for (const key of keys) {
      const difference = collator.compare(one[key], other[key]);
      if (difference !== 0) {
        return difference;
      }
    }
    return 0;
  };
}

/** Makes the table of the form choose, sort and search; tells `changed` of each new selection. */
export class Selection {
  #table;
  #chips;
  #rows;
  #changed;

  constructor(form, changed) {
    this.#table = form.querySelector("#students");
    this.#chips = form.querySelector("#picked");
    this.#rows = [...this.#table.tBodies[0].rows];
    this.#changed = changed;
    this.#table.addEventListener("change", () => this.#show());
    for (const link of this.#table.querySelectorAll("a[data-order]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.#sort(link, form);
      });
    }
    form.querySelector("#filter").addEventListener("input", (event) => this.#filter(event.target.value));
    form.querySelector("#filter").addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault(); // it searches as one types, and must not send the form
      }
    });
    form.querySelector("[data-all]").addEventListener("click", () => this.#tick(true));
    form.querySelector("[data-none]").addEventListener("click", () => {
      this.#tick(false);
      form.querySelector("[data-all]").focus();
    });
    this.#show();
  }

  /** The rows of the chosen ones, in the order of the table. */
  get chosen() {
    return this.#rows.filter((row) => this.#box(row).checked);
  }

  #box(row) {
    return row.querySelector("input[type=checkbox]");
  }

  #tick(checked) {
    for (const row of this.#rows) {
      this.#box(row).checked = checked;
    }
    this.#show();
  }

  #sort(link, form) {
    const compare = byOrder(link.dataset.order, locale());
    this.#rows.sort((one, other) => compare(one.dataset, other.dataset));
    this.#table.tBodies[0].append(...this.#rows);
    for (const head of this.#table.tHead.querySelectorAll("th")) {
      const isThis = head.contains(link);
      head.toggleAttribute("aria-sort", false);
      const use = head.querySelector("use");
      if (use) {
        use.setAttribute("href", use.getAttribute("href").replace(/#.*/, isThis ? "#up" : "#sort"));
      }
      if (isThis) {
        head.setAttribute("aria-sort", "ascending");
      }
    }
    form.elements.order.value = link.dataset.order;
    this.#show();
  }

  #filter(text) {
    const words = fold(text).split(/\s+/);
    for (const row of this.#rows) {
      const { last, first, login } = row.dataset;
      const whole = fold(`${first} ${last} ${login}`);
      row.hidden = !words.every((word) => whole.includes(word));
    }
    const shown = this.#rows.filter((row) => !row.hidden).length;
    document.getElementById("shown").textContent = t("{n} of {all} students are shown", { n: shown, all: this.#rows.length });
  }

  #show() {
    const chosen = this.chosen;
    this.#chips.replaceChildren(...chosen.map((row) => this.#chip(row)));
    this.#changed(chosen);
  }

  #chip(row) {
    const name = `${row.dataset.first} ${row.dataset.last}`.trim();
    const chip = document.createElement("span");
    chip.className = "chip";
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", t("Remove {name}", { name }));
    button.append(document.getElementById("cross").content.cloneNode(true));
    button.addEventListener("click", () => {
      const at = this.chosen.indexOf(row);
      this.#box(row).checked = false;
      this.#show();
      const buttons = this.#chips.querySelectorAll("button");
      (buttons[Math.min(at, buttons.length - 1)] ?? this.#box(row)).focus();
    });
    chip.append(name, button);
    return chip;
  }
}
