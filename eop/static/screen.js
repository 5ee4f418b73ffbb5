// The page of one screen: modes, what is said of the link, and the way to others.

import { pageData } from "./api.js";
import { walkedNeighbours } from "./kept.js";
import { byId } from "./page.js";
import { Clipboard } from "./screen-clipboard.js";
import { Float } from "./screen-float.js";
import { Keys } from "./screen-keys.js";
import { Others } from "./screen-others.js";
import { isLetterForPage } from "./keys.js";
import { hiddenAddress, isKept } from "./projecting.js";
import { ScreenLink } from "./screen-link.js";
import { Meter } from "./screen-meter.js";
import { screenClass } from "./screen-rfb.js";
import { tell } from "./screen-say.js";
import { Shot } from "./screen-shot.js";
import { SoftKeyboard } from "./screen-soft.js";
import { Menus, Quality, Rail } from "./screen-tools.js";
import { View } from "./screen-view.js";
import { advice } from "./states.js";
import { fill, t, timeOfDay } from "./words.js";

const page = pageData();
const stage = byId("stage");
const radios = [...document.querySelectorAll("input[name=mode]")];

if (isKept() && !page.names_hidden) {
  location.replace(hiddenAddress()); // opened before the projector mode was
  await new Promise(() => {});
}

const { default: RFB } = await import(page.novnc);

const view = new View(stage);
const quality = new Quality();
const keys = new Keys();
const meter = new Meter(() => link.received, (milliseconds) => quality.feel(milliseconds));
const float = new Float(page, view);
const watching = [view, quality, meter, new Shot(page, view), float];
const clipboard = new Clipboard(keys, page.clipboard);
const controlling = [keys, new SoftKeyboard(keys), clipboard];
const others = new Others(page);
const rail = new Rail(document.querySelector(".tools"));
new Menus();
let lost = null; // {next, since, reason}: the link is gone
let rfbNow = null;
let asked = 0; // how often a mode was wished for: only the last wish counts
let isOpened = false;

const link = new ScreenLink(page, screenClass(RFB), byId("screen"), {
  opening() {
    setStatus(lost === null ? "connecting" : "lost");
    rfbNow = null;
    useTools(null);
    if (lost === null) {
      say("refresh", t("Opening…"));
    }
  },
  opened(rfb) {
    rfbNow = rfb;
    setStatus("open");
    forgetPicture();
    stage.dataset.mode = link.mode;
    useTools(rfb);
    notice();
    if (lost !== null) {
      byId("say").textContent = t("Connection restored.");
      byId("shout").textContent = "";
    }
    lost = null;
    if (link.mode === "control") {
      rfb.focus();
    }
  },
  lost(wait, reason, picture) {
    rfbNow = null;
    useTools(null);
    const first = lost === null;
    lost = { next: performance.now() + wait, since: lost?.since ?? Date.now(), reason: reason || (lost?.reason ?? "") };
    if (picture !== null) {
      byId("last").src = picture;
      byId("last").hidden = false;
      lost.since = Date.now();
    }
    setStatus("lost");
    tellLost();
    notice();
    if (first) {
      byId("shout").textContent = reason ? causeOf(reason) : t("Connection to the screen lost.");
    }
  },
  closed(wait, error) {
    rfbNow = null;
    useTools(null);
    const first = lost?.reason !== error.message;
    lost = { next: performance.now() + wait, since: Date.now(), reason: error.message };
    forgetScreen();
    setStatus("lost");
    tellLost();
    notice();
    if (first) {
      byId("shout").textContent = error.message;
    }
  },
  replaced() {
    forgetScreen();
    location.reload(); // with the name of who sits there now, and nothing of who sat there before
  },
  ended(error) {
    rfbNow = null;
    useTools(null);
    if (error.status === 403 && link.mode === "control" && error.code !== "csrf") {
      byId("shout").textContent = error.message;
      choose("view");
      return;
    }
    lost = null;
    forgetScreen(); // who is signed out sees no screens
    setStatus("ended");
    notice();
    const [text, label, address] = lastWords(error);
    say("bad", text, label, address);
    byId("shout").textContent = text;
  },
});

function setStatus(status) {
  stage.dataset.status = status;
}

function forgetPicture() {
  byId("last").hidden = true;
  byId("last").removeAttribute("src");
}

/** Nothing of the screen stays, here or in the small window: not what was copied there, either. */
function forgetScreen() {
  forgetPicture();
  float.forget();
  clipboard.forget();
}

function useTools(rfb) {
  const controlled = link.mode === "control" ? rfb : null;
  watching.forEach((tool) => tool.use(rfb, link.mode));
  controlling.forEach((tool) => tool.use(controlled));
  rail.use();
}

function notice() {
  const text = byId("notice-text");
  if (stage.dataset.status === "open") {
    text.textContent = link.mode === "control"
      ? inControl()
      : t("You are viewing. Nothing you do is sent.");
  } else {
    text.textContent = stage.dataset.status === "ended" ? t("Closed") : t("Not connected");
  }
}

/** A tablet has no such keys to press. */
function inControl() {
  return matchMedia("(pointer: coarse)").matches
    ? t("You are in control.") : t("You are in control. Ctrl+Alt+Shift frees the keyboard.");
}

function say(tone, text, label = "", address = "") {
  const note = byId("stage-note").firstElementChild;
  note.dataset.tone = tone === "bad" ? "bad" : "warn";
  byId("stage-text").textContent = text;
  const way = byId("stage-way");
  way.hidden = label === "";
  way.textContent = label;
  if (address !== null) {
    way.href = address;
  }
}

/** The daemon's refusal ends with its code in brackets. */
function causeOf(reason) {
  const code = /\(([a-z_]+)\)$/.exec(reason)?.[1];
  return code ? advice({ code }).cause : reason;
}

function tellLost() {
  if (lost === null) {
    return;
  }
  const n = Math.max(0, Math.ceil((lost.next - performance.now()) / 1000));
  const again = t("Trying again in {n} s.", { n });
  const time = timeOfDay(lost.since);
  let what = t("Connection to the screen lost. The picture dates from {time}.", { time });
  if (lost.reason) {
    what = causeOf(lost.reason);
  } else if (byId("last").hidden) {
    what = t("Connection to the screen lost.");
  }
  say("warn", `${what} ${again}`);
}

function lastWords(error) {
  if (error.status === 401) {
    return [t("Your session has ended. Sign in again, nothing is lost."), t("Sign in"), page.login];
  }
  if (error.code === "csrf") {
    return [t("You have signed in anew since this page was opened."), t("Load it again"), ""];
  }
  return [error.message, t("Back to the wall"), page.wall];
}

function mark(mode) {
  for (const radio of radios) {
    radio.checked = radio.value === mode;
  }
}

function show(mode) {
  mark(mode);
  open(mode);
}

/** Control is asked about where somebody else has it; meanwhile the page goes on as it was. */
function choose(mode) {
  asked += 1;
  if (mode !== "control") {
    show(mode);
    return;
  }
  const own = asked;
  const unlessChanged = (then) => () => own === asked && then();
  others.ask(unlessChanged(() => show("control")), unlessChanged(() => {
    if (isOpened) {
      mark(link.mode);
    } else {
      show("view");
    }
  }));
}

function open(mode) {
  isOpened = true;
  lost = null;
  noteMode(mode);
  link.open(mode);
}

/** The address leads to what is seen, so that it can be kept or given to a colleague. */
function noteMode(mode) {
  const address = new URL(location.href);
  if (mode === "control") {
    address.searchParams.set("mode", mode);
  } else {
    address.searchParams.delete("mode");
  }
  history.replaceState(history.state, "", address);
}

/** Previous and next as the wall stood that one came from; the site gave its own order. */
function followWall() {
  const walked = walkedNeighbours(page.query, page.workstation);
  for (const [id, said] of [["before", t("Previous: {name}")], ["after", t("Next: {name}")]]) {
    const other = walked?.[id];
    if (walked !== null && (other === null || other in page.others)) {
      const way = byId(id);
      way.hidden = other === null;
      if (other !== null) {
        way.href = `${page.screens}${encodeURIComponent(other)}?${page.links}`;
        way.title = fill(said, { name: page.others[other] });
        way.setAttribute("aria-label", way.title);
      }
    }
  }
}

function go(id) {
  if (!byId(id).hidden) {
    location.assign(byId(id).href);
  }
}

for (const radio of radios) {
  radio.addEventListener("change", () => choose(radio.value));
}

document.addEventListener("keydown", (event) => {
  const onStage = event.target === document.body || stage.contains(event.target);
  if (link.mode === "control" || !onStage || !isLetterForPage(event)) {
    return;
  }
  const does = { f: () => view.toggleFull(), n: () => go("after"), b: () => go("before"),
    c: () => radios.length > 1 && choose("control"), v: () => choose("view") }[event.key.toLowerCase()];
  if (does) {
    event.preventDefault();
    does();
  }
});

// Ctrl+Alt+Shift, pressed and released without another key: Tab works on the page again.
const LEAVING = new Set(["Control", "Alt", "Shift"]);
const pressed = new Set();
let leaves = false;
window.addEventListener("keydown", (event) => {
  if (!LEAVING.has(event.key)) {
    leaves = false;
    return;
  }
  pressed.add(event.key);
  leaves = pressed.size === LEAVING.size;
}, true);
window.addEventListener("keyup", (event) => {
  if (leaves && rfbNow !== null && link.mode === "control") {
    rfbNow.blur();
    byId("full").focus();
    tell(t("The keyboard is back on the page."));
  }
  leaves = false;
  pressed.delete(event.key === "Meta" ? "Alt" : event.key);
}, true);
window.addEventListener("blur", () => pressed.clear());

document.addEventListener("visibilitychange", () => !document.hidden && link.retryNow());
setInterval(tellLost, 1000);
followWall();
choose(new URLSearchParams(location.search).get("mode") === "control" && radios.length > 1 ? "control" : "view");
