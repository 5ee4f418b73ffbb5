// The lesson's bar: who is in and what is in force, kept fresh; and asking before the lesson ends.
// The server writes the parts; they are fetched when the wall tells of a change, and now and then:
// a wall hears nothing of what a colleague puts in force, or that the lesson's hours are over.

const EVERY_MS = 30_000;
const GATHER_MS = 2_000; // a wall that is filling tells of many changes at once
const TIMEOUT_MS = 10_000;

const bar = document.getElementById("lesson");
const who = document.getElementById("lesson-who");
const ask = document.getElementById("lesson-ask");
let freshAt = -Infinity;
let gathering = 0;
let over = false;

/** The parts as they are now, by name; null where the server did not answer with some. */
async function fetched() {
  try {
    const answer = await fetch(bar.dataset.parts, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) {
      return null;
    }
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    return new Map(
      [...read.querySelectorAll("body > [data-part]")].map((part) => [part.dataset.part, part]),
    );
  } catch {
    return null; // the wall, or the next page, says that the server is gone
  }
}

async function refresh() {
  clearTimeout(gathering);
  gathering = 0;
  if (over) {
    return;
  }
  const parts = await fetched();
  if (parts === null) {
    who.hidden = true; // an old number is no number
    return;
  }
  freshAt = performance.now();
  if (!parts.has("counts")) {
    end(parts.get("over"));
    return;
  }
  for (const [name, part] of parts) {
    put(document.querySelector(`[data-part="${name}"]`), part);
  }
  who.hidden = false;
}

/** Show a new part, unless it is the same or its menu is open. The focus stays in the bar. */
function put(place, part) {
  const before = [...place.childNodes];
  const after = [...part.childNodes].map((node) => document.adoptNode(node));
  const same = before.length === after.length
    && before.every((node, at) => node.isEqualNode(after[at]));
  if (same || place.querySelector("details[open]")) {
    return;
  }
  const hadFocus = place.querySelector(":focus") !== null;
  place.replaceChildren(...after);
  if (hadFocus) {
    (place.querySelector("summary") ?? document.getElementById("lesson-end")).focus();
  }
}

/** The lesson is over, by another page or by itself; or the session is, and others say so. */
function end(last) {
  over = true;
  ask.close();
  const tally = document.getElementById("tally"); // the wall goes on writing into it
  who.hidden = true;
  if (last) {
    bar.replaceChildren(...[...last.childNodes].map((node) => document.adoptNode(node)));
    if (tally) {
      bar.append(tally);
    }
  }
}

function soon() {
  if (gathering === 0 && !document.hidden) {
    gathering = setTimeout(refresh, GATHER_MS);
  }
}

document.addEventListener("eop:seats", soon); // from wall.js

// what came while a menu was open is shown when it is closed
bar.addEventListener("toggle", (event) => !event.target.open && soon(), true);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && performance.now() - freshAt > EVERY_MS) {
    refresh();
  }
});

setInterval(() => !document.hidden && refresh(), EVERY_MS);

document.getElementById("lesson-end").addEventListener("click", (event) => {
  event.preventDefault();
  ask.showModal();
  refresh();
});

document.getElementById("lesson-stay").addEventListener("click", () => ask.close());

// what is sent from the bar comes back to this page
bar.addEventListener("submit", (event) => {
  const next = event.target.elements.namedItem("next");
  if (next) {
    next.value = location.pathname + location.search;
  }
});

document.addEventListener("click", (event) => {
  for (const menu of bar.querySelectorAll("details[open]")) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});

document.addEventListener("keydown", (event) => {
  const open = bar.querySelector("details[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

refresh();
