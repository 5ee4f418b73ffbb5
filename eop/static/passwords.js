// Pages of passwords: choosing students, asking once more, and a result that leaves no trace.
//
// The form is sent without leaving the page, and its answer takes the page's place: no entry of the
// history, no cache and no reload leads to new passwords again. What is shown goes with the page.

import { prepare } from "./password.js";
import { Selection } from "./passwords-selection.js";
import { t } from "./words.js";

const TIMEOUT_MS = 120_000; // a directory may take half a second for each of two hundred
const SHOWN_MS = 3000;
const page = JSON.parse(document.getElementById("page").textContent);
let unnoted = false; // new passwords are shown, and nobody said that they are noted

function prepareAll() {
  for (const element of document.querySelectorAll("[data-needs-script]")) {
    element.hidden = false;
  }
  const batch = document.getElementById("batch");
  if (batch?.querySelector("#students")) {
    prepareBatch(batch);
  }
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(form);
    });
  }
  if (document.querySelector("[data-result]")) {
    prepareResult();
  }
}

function prepareBatch(form) {
  const change = form.elements.change;
  const send = form.querySelector("#send");
  const noBirth = form.querySelector("#no-birth");
  let chosen = [];
  const kind = () => new FormData(form).get("kind");
  const tell = () => {
    const n = chosen.length;
    form.querySelector("#chosen").textContent = n === 1 ? t("Selection: 1 student") : t("Selection: {n} students", { n });
    send.textContent = n === 1 ? t("Change 1 password") : t("Change {n} passwords", { n });
    send.toggleAttribute("aria-disabled", false);
    if (n === 0) {
      send.setAttribute("aria-disabled", "true");
    }
    const without = kind() === "birth" ? chosen.filter((row) => "noBirth" in row.dataset).length : 0;
    noBirth.hidden = without === 0;
    noBirth.querySelector("span").textContent = t("Chosen, but no birth date is known: {n}", { n: without });
  };
  new Selection(form, (rows) => {
    chosen = rows;
    tell();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "kind" && page.guessable.includes(event.target.value)) {
      change.checked = true; // what can be guessed is for one sign-in
    }
    tell();
  });
}

async function submit(form) {
  if (form.dataset.busy || !(await isSure(form))) {
    return;
  }
  form.dataset.busy = "yes";
  const button = form.querySelector("button[type=submit]");
  const label = button.textContent;
  button.textContent = t("Changing…");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.redirected) {
      location.assign(answer.url); // the session is over
      return;
    }
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    button.textContent = label;
    delete form.dataset.busy;
    // sent or not, nobody knows: the same form changes nothing a second time
    say(form, t("The server did not answer. It may have changed the passwords all the same: open the page anew and change them again."));
  }
}

/** Show what the server answered in place of what was there. */
function take(answer) {
  const main = document.querySelector("main");
  const next = answer.querySelector("main > .page, main > *");
  main.querySelector(".page").replaceWith(document.adoptNode(next));
  document.title = answer.title;
  prepare(main);
  prepareAll();
  const first = document.querySelector("#trouble, [data-result], main h1");
  first.setAttribute("tabindex", "-1");
  first.focus();
  scrollTo(0, 0);
}

function say(form, text) {
  const note = document.createElement("p");
  note.className = "note";
  note.dataset.tone = "bad";
  note.setAttribute("role", "alert");
  note.textContent = text;
  form.before(note);
}

/** Whether somebody who changes many passwords means it. */
function isSure(form) {
  const dialog = document.getElementById("sure");
  if (form.id !== "batch") {
    return Promise.resolve(true);
  }
  const n = form.querySelectorAll("#students input:checked").length;
  if (n === 0) {
    form.querySelector("[data-all]").focus();
    return Promise.resolve(false);
  }
  const name = form.elements.class.value;
  dialog.querySelector("h2").textContent = n === 1
    ? t("Change the password of 1 student of {name}?", { name })
    : t("Change the passwords of {n} students of {name}?", { n, name });
  const yes = dialog.querySelector("[data-yes]");
  yes.textContent = n === 1 ? t("Change 1 password") : t("Change {n} passwords", { n });
  return new Promise((resolve) => {
    dialog.returnValue = "";
    yes.onclick = () => dialog.close("yes");
    dialog.querySelector("[data-no]").onclick = () => dialog.close("");
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.showModal();
  });
}

function prepareResult() {
  const result = document.querySelector("[data-result]");
  unnoted = result.querySelector("#result") !== null;
  result.querySelector("[data-print]")?.addEventListener("click", () => print());
  result.querySelector("[data-finished]").addEventListener("click", () => {
    unnoted = false;
  });
  result.querySelector("[data-copy-all]")?.addEventListener("click", (event) => copy(event.currentTarget));
}

async function copy(button) {
  const rows = [...document.querySelectorAll("#result tbody tr")];
  const text = rows.map((row) => [...row.cells].slice(0, 3).map((cell) => cell.textContent.trim()).join("\t")).join("\n");
  const words = button.querySelector("span");
  const label = words.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(document.getElementById("result")); // without https: Ctrl+C does the rest
    return;
  }
  words.textContent = button.dataset.done;
  setTimeout(() => {
    words.textContent = label;
  }, SHOWN_MS);
}

addEventListener("beforeunload", (event) => {
  if (unnoted) {
    event.preventDefault();
  }
});

// a browser may keep a page that was left, to show it again at once: not this one
addEventListener("pagehide", () => {
  document.querySelector("[data-result]")?.replaceChildren();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

prepareAll();
