// Renews a part of the page for as long as it says that more is to come: a list that is being
// looked at, checks that run. What somebody is typing in, or has the focus in, is left alone.

const TIMEOUT_MS = 10_000;
const HEARD_MS = 100; // what stands in a page from its beginning is not spoken

let times = 0;
let isPressed = false; // what goes away between press and release of a button is not pressed

addEventListener("pointerdown", () => {
  isPressed = true;
});
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => {
    setTimeout(() => {
      isPressed = false; // the click itself comes before that
    });
  });
}

/** The page as the server has it now, or null where that cannot be had. */
async function fetched() {
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok && answer.status !== 503) {
      return null;
    }
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null; // the server is away for a moment: the next look may find it
  }
}

function isBusy(part) {
  return part.contains(document.activeElement) && document.activeElement.matches("input, select");
}

/** What tells of the part elsewhere in the page. */
function renewBeside(page) {
  for (const element of document.querySelectorAll("[data-with-again]")) {
    const next = page.getElementById(element.id);
    if (next) {
      element.replaceChildren(...next.childNodes);
    }
  }
}

/** Put the new part in the place of the old one, and the focus where it was. */
function renew(part, next) {
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const index = active ? [...part.querySelectorAll("a, button")].indexOf(active) : -1;
  part.replaceChildren(...next.childNodes);
  for (const name of ["data-again", "data-times", "data-said"]) {
    const value = next.getAttribute(name);
    if (value === null) {
      part.removeAttribute(name);
    } else {
      part.setAttribute(name, value);
    }
  }
  if (index >= 0) {
    [...part.querySelectorAll("a, button")][index]?.focus();
  }
  say(part);
  part.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
}

/** Have screen readers speak what the part says of itself, once. */
function say(part) {
  const said = document.getElementById("said");
  if (said && said.textContent !== (part.dataset.said ?? "")) {
    said.textContent = part.dataset.said ?? "";
  }
}

async function follow() {
  const part = document.getElementById("again");
  if (!part?.dataset.again || times >= Number(part.dataset.times)) {
    return;
  }
  times += 1;
  const page = isBusy(part) ? null : await fetched();
  const next = page?.getElementById("again");
  if (next && !isPressed) {
    renew(part, next);
    renewBeside(page);
  }
  wait();
}

function wait() {
  const part = document.getElementById("again");
  if (part?.dataset.again) {
    setTimeout(() => say(part), HEARD_MS);
    setTimeout(follow, Number(part.dataset.again));
  }
}

wait();
