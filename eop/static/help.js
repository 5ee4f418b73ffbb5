// The help of the page: its dialog, the switch of single keys, and G then a letter to go elsewhere.

import { allowLetters, isLetterForPage } from "./keys.js";

const THEN_MS = 1500; // between G and the letter after it
const TIMEOUT_MS = 10_000;

const dialog = document.getElementById("help");
let goes = 0; // until when the next letter says where to go
let opener = null;

function open(from) {
  if (!dialog.open) {
    opener = from;
    dialog.showModal();
  }
}

/** The link, or what holds it: a folded menu's own button. */
function returnTo(element) {
  const folded = element.closest("details:not([open])");
  (folded === null ? element : folded.querySelector("summary")).focus();
}

for (const link of document.querySelectorAll("[data-help]")) {
  link.addEventListener("click", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link);
    }
  });
}

document.getElementById("help-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => opener?.isConnected && returnTo(opener));

document.addEventListener("keydown", (event) => {
  if (!isLetterForPage(event)) {
    return;
  }
  const key = event.key.toLowerCase();
  const link = performance.now() < goes
    ? document.querySelector(`[data-go="${CSS.escape(key)}"]`) : null;
  goes = key === "g" ? performance.now() + THEN_MS : 0;
  if (link !== null) {
    event.preventDefault();
    event.stopImmediatePropagation(); // the letter after G has no other meaning
    location.assign(link.href);
  } else if (key === "?") {
    event.preventDefault();
    open(document.activeElement === document.body ? null : document.activeElement);
  }
}, true);

for (const form of document.querySelectorAll("form[data-single-keys]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep(form, event.submitter);
  });
}

/** Have the server keep it; where that fails the browser sends the form, and shows what went wrong. */
async function keep(form, button) {
  const fields = new FormData(form, button);
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "X-CSRF-Token": fields.get("csrf_token") },
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status !== 204) {
      throw new Error(String(answer.status));
    }
  } catch {
    const value = document.createElement("input");
    value.type = "hidden";
    value.name = button.name;
    value.value = button.value;
    form.append(value);
    form.submit();
    return;
  }
  allowLetters(button.value === "on");
  for (const one of document.querySelectorAll("form[data-single-keys] button")) {
    one.setAttribute("aria-pressed", String(one.value === button.value));
  }
}
