// The page of one screen: modes, what is said of the link, and the way to others.

import { pageData } from "./api.js";
import { isLetterForPage } from "./keys.js";
import { Clipboard, Display, Keys, Menus } from "./screen-tools.js";
import { ScreenLink } from "./screen-link.js";
import { advice } from "./states.js";
import { t, timeOfDay } from "./words.js";

const byId = (id) => document.getElementById(id);
const page = pageData();
const stage = byId("stage");
const radios = [...document.querySelectorAll("input[name=mode]")];

const { default: RFB } = await import(page.novnc);

const display = new Display(stage);
const keys = new Keys();
const clipboard = new Clipboard();
new Menus();
let lost = null; // {next, since, reason}: the link is gone
let rfbNow = null;

const link = new ScreenLink(page, RFB, byId("screen"), {
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
    display.use(rfb);
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
    forgetPicture();
    setStatus("lost");
    tellLost();
    notice();
    if (first) {
      byId("shout").textContent = error.message;
    }
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
    forgetPicture(); // who is signed out sees no screens
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

function useTools(rfb) {
  const controlled = rfb !== null && link.mode === "control" ? rfb : null;
  keys.use(controlled);
  clipboard.use(controlled);
}

function notice() {
  const text = byId("notice-text");
  if (stage.dataset.status === "open") {
    text.textContent = link.mode === "control"
      ? t("You are in control. Ctrl+Alt+Shift frees the keyboard.")
      : t("You are viewing. Nothing you do is sent.");
  } else {
    text.textContent = stage.dataset.status === "ended" ? t("Closed") : t("Not connected");
  }
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

function choose(mode) {
  for (const radio of radios) {
    radio.checked = radio.value === mode;
  }
  open(mode);
}

function open(mode) {
  lost = null;
  link.open(mode);
}

function go(id) {
  const way = byId(id);
  if (way) {
    location.assign(way.href);
  }
}

for (const radio of radios) {
  radio.addEventListener("change", () => open(radio.value));
}

document.addEventListener("keydown", (event) => {
  const onStage = event.target === document.body || stage.contains(event.target);
  if (link.mode === "control" || !onStage || !isLetterForPage(event)) {
    return;
  }
  const does = { f: () => display.toggleFull(), n: () => go("after"), b: () => go("before"),
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
    byId("say").textContent = t("The keyboard is back on the page.");
  }
  leaves = false;
  pressed.delete(event.key === "Meta" ? "Alt" : event.key);
}, true);
window.addEventListener("blur", () => pressed.clear());

document.addEventListener("visibilitychange", () => !document.hidden && link.retryNow());
setInterval(tellLost, 1000);
choose(new URLSearchParams(location.search).get("mode") === "control" && radios.length > 1 ? "control" : "view");
