// The list of files in a form: chosen, dropped onto it, sent up one after the other with progress.

import { call } from "./api.js";
import { sendFile } from "./upload.js";
import { locale, t } from "./words.js";

const QUARTERS = 4; // what is said aloud: not every piece

/** Bytes as people say them. */
export function sizeInWords(bytes) {
  if (bytes < 1e3) {
    return t("{n} bytes", { n: bytes });
  }
  const [unit, shown] = bytes < 1e6 ? ["kB", bytes / 1e3] : ["MB", bytes / 1e6];
  const digits = { maximumFractionDigits: shown < 10 ? 1 : 0 };
  const number = new Intl.NumberFormat(locale(), digits).format(shown);
  return unit === "kB" ? t("{number} kB", { number }) : t("{number} MB", { number });
}

export class UploadList {
  #page;
  #form = document.getElementById("give");
  #list = document.getElementById("file-list");
  #none = document.getElementById("no-file");
  #told = document.getElementById("told");
  #row = document.getElementById("file-row");
  #queue = Promise.resolve();
  #open = new Map(); // row → what stops its sending
  #changed;

  /** `changed` is called whenever a file is added, ready, failed or removed. */
  constructor(page, changed) {
    this.#page = page;
    this.#changed = changed;
    for (const button of this.#form.querySelectorAll("[data-add]")) {
      const input = document.getElementById(`add-${button.dataset.add}`);
      button.addEventListener("click", () => input.click());
      input.addEventListener("change", () => {
        this.#add(input.files, button.dataset.add === "annex");
        input.value = "";
      });
    }
    this.#list.addEventListener("click", (event) => {
      const drop = event.target.closest("[data-drop]");
      if (drop) {
        this.#remove(drop.closest("li"));
      }
    });
    this.#takeDropped();
    this.#show();
  }

  /** How many files are on their way, failed, and ready. */
  get counts() {
    const rows = [...this.#list.children];
    const failed = rows.filter((row) => row.dataset.failed !== undefined).length;
    const ready = rows.filter((row) => row.dataset.upload !== undefined).length;
    return { failed, ready, under_way: rows.length - failed - ready };
  }

  #takeDropped() {
    this.#form.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes("Files")) {
        event.preventDefault();
        this.#form.dataset.over = "";
      }
    });
    for (const name of ["dragleave", "drop"]) {
      this.#form.addEventListener(name, () => delete this.#form.dataset.over);
    }
    this.#form.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#add(event.dataTransfer.files, false);
    });
  }

  #add(files, isAnnex) {
    for (const file of files) {
      const row = this.#made(file, isAnnex);
      const stop = new AbortController();
      this.#open.set(row, stop);
      this.#queue = this.#queue.then(() => this.#send(row, file, isAnnex, stop.signal));
    }
    this.#show();
  }

  #made(file, isAnnex) {
    const row = this.#row.content.firstElementChild.cloneNode(true);
    const icon = this.#form.querySelector("[data-add] use").getAttribute("href").split("#")[0];
    row.querySelector("use").setAttribute("href", `${icon}#${isAnnex ? "lock" : "doc"}`);
    row.querySelector("strong").textContent = file.name;
    row.querySelector("[data-drop] .vh").textContent = ` ${file.name}`;
    row.querySelector("progress").setAttribute("aria-label", file.name);
    say(row, t("waiting"));
    this.#list.append(row);
    return row;
  }

  async #send(row, file, isAnnex, signal) {
    if (signal.aborted) {
      return;
    }
    if (file.size > this.#page.limit) {
      this.#fail(row, t("Too large: {size}, at most {most}.", {
        size: sizeInWords(file.size), most: sizeInWords(this.#page.limit),
      }));
      return;
    }
    const bar = row.querySelector("progress");
    const size = sizeInWords(file.size);
    let quarter = 0;
    const tell = (done) => {
      bar.value = file.size === 0 ? 1 : done / file.size;
      say(row, t("{done} of {size}", { done: sizeInWords(done), size }));
      const reached = Math.floor(bar.value * QUARTERS);
      if (reached > quarter && reached < QUARTERS) {
        quarter = reached;
        this.#told.textContent = t("{name}: {share} %", { name: file.name, share: String(reached * 25) });
      }
    };
    const wait = (isWaiting) => isWaiting && say(row, t("the server does not answer; it goes on by itself"));
    try {
      this.#ready(row, file, isAnnex, await sendFile(this.#page, file, { tell, wait, signal }));
    } catch (error) {
      if (!signal.aborted) {
        this.#fail(row, error.message);
      }
    }
  }

  #ready(row, file, isAnnex, held) {
    this.#open.delete(row);
    row.dataset.upload = held.id;
    row.querySelector("progress").remove();
    for (const name of isAnnex ? ["file", "annex"] : ["file"]) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value: held.id });
      row.append(field);
    }
    const kind = isAnnex ? t("annex, read-only") : t("document");
    const told = `${sizeInWords(file.size)}, ${kind}`;
    const isRenamed = held.name !== file.name.normalize("NFC");
    const renamed = t("It will be called “{name}”.", { name: held.name });
    say(row, isRenamed ? `${told}. ${renamed}` : told);
    this.#told.textContent = t("{name} is ready.", { name: file.name });
    this.#show();
  }

  #fail(row, message) {
    this.#open.delete(row);
    row.dataset.failed = "";
    row.querySelector("progress")?.remove();
    say(row, message);
    this.#told.textContent = `${row.querySelector("strong").textContent}: ${message}`;
    this.#show();
  }

  #remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    this.#open.get(row)?.abort();
    this.#open.delete(row);
    row.remove();
    if (row.dataset.upload) {
      // where it does not hear, the server forgets it by itself
      call(this.#page, "DELETE", `uploads/${row.dataset.upload}`).catch(() => {});
    }
    (next?.querySelector("[data-drop]") ?? this.#form.querySelector("[data-add]")).focus();
    this.#show();
  }

  #show() {
    this.#none.hidden = this.#list.childElementCount > 0;
    this.#changed(this.counts);
  }
}

function say(row, text) {
  row.querySelector("[data-text]").textContent = text;
}
