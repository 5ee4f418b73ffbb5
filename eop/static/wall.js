// The wall's page: tiles, tools, what is visible, and what is said when the link is lost.

import { pageData } from "./api.js";
import { DaemonClock } from "./freshness.js";
import { keepWalk } from "./kept.js";
import { Bursts } from "./wall-bursts.js";
import { tileWidth } from "./wall-frames.js";
import { WallKeys } from "./wall-keys.js";
import { WallLink } from "./wall-link.js";
import { SeatingPlan } from "./wall-plan.js";
import { WallNote } from "./wall-note.js";
import { Tile, decoded } from "./wall-tile.js";
import { Advice, AttentionList, WallTools } from "./wall-tools.js";
import { WallViews } from "./wall-views.js";
import { t } from "./words.js";

const WRITE_MS = 1000; // ages and bursts of pictures: they share a frame
const VISIBLE_MARGIN = "120px"; // so that a tile has its picture when it scrolls in
const GATHER_MS = 50; // scrolling changes many tiles at once; one message tells them all

const page = pageData();
const wall = document.getElementById("wall");
const tiles = new Map();
const visible = new Set();
const clock = new DaemonClock();
const note = new WallNote(page);
const advice = new Advice(page);
const attention = new AttentionList(page, advice);
let linked = false;
const bursts = new Bursts(drawPictures);
let gathering = 0;
let drawing = Promise.resolve();
let links = 0; // opened or ended so far: no picture of one is shown in the next

const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const number = Number(target.dataset.number);
      if (isIntersecting) {
        visible.add(number);
      } else {
        visible.delete(number);
      }
    }
    tellVisible();
  },
  { rootMargin: VISIBLE_MARGIN },
);

const plan = new SeatingPlan(page, wall, tiles, () => {
  tools.arrange();
  tools.resize();
});
const tools = new WallTools(wall, tiles, { changed: tellVisible, arranged: () => views.write() }, plan);
new WallKeys(wall, plan);
const views = new WallViews(page, wall, tiles, { shown: tellVisible, sized: () => tools.resize() });

const link = new WallLink(page, {
  event: takeEvent,
  tile: (picture) => bursts.take(picture),
  opened() {
    linked = true;
    dropWaiting();
    note.restored();
  },
  closed: close,
  lost(wait) {
    linked = false;
    note.lost(wait, newestPicture());
    writeAll();
  },
  ended(error) {
    note.ended(error);
    dropPictures(); // who is signed out sees no screens
  },
});

/** All screens are closed for everybody: nothing of them stays in sight. */
function close() {
  note.closed();
  dropPictures();
  tellSeats();
}

function dropPictures() {
  linked = false;
  dropWaiting();
  tiles.forEach((tile) => tile.dropPicture());
  writeAll();
}

function takeEvent(event) {
  if (Number.isFinite(event.now)) {
    clock.learn(event.now);
  }
  switch (event.event) {
    case "snapshot":
      takeSnapshot(event);
      break;
    case "state":
      tiles.get(event.number)?.describe({ ...tiles.get(event.number), ...event });
      break;
    case "workstation":
      takeWorkstation(event);
      break;
    case "seen":
      for (const number of event.numbers) {
        tiles.get(number)?.prove(event.now);
      }
      return; // written with all else, once a second
    case "bye":
      if (event.code === "switched_off") {
        close();
      }
      return;
    default:
      return; // newer servers may tell more
  }
  writeAll();
}

function takeSnapshot(event) {
  clock.forget();
  clock.learn(event.now);
  const present = new Set(event.workstations.map((entry) => entry.number));
  for (const number of [...tiles.keys()]) {
    if (!present.has(number)) {
      removeTile(number);
    }
  }
  event.workstations.forEach(putTile);
  wall.setAttribute("aria-busy", "false");
  plan.load();
  tools.arrange();
  tellSeats();
}

function takeWorkstation(event) {
  if (event.change === "removed") {
    removeTile(event.number);
  } else {
    putTile(event);
  }
  plan.seat();
  tools.arrangeSoon();
  tellSeats();
}

/** Who sits where may have changed, or that all is closed: the lesson's bar hears of it. */
function tellSeats() {
  document.dispatchEvent(new Event("eop:seats"));
}

function putTile(entry) {
  const known = tiles.get(entry.number);
  if (known && known.id === entry.id) {
    known.describe(entry);
    return;
  }
  removeTile(entry.number);
  const tile = new Tile(entry, page, (shown) => advice.open(shown));
  tiles.set(entry.number, tile);
  observer.observe(tile.element);
}

function removeTile(number) {
  const tile = tiles.get(number);
  if (tile) {
    observer.unobserve(tile.element);
    visible.delete(number);
    tiles.delete(number);
    views.forget(number);
    tile.remove();
  }
}

function dropWaiting() {
  links += 1;
  bursts.clear();
}

/** Decode all, then show all in one frame; one call after the other, so that newer stay newer. */
function drawPictures(pictures) {
  const link = links;
  drawing = drawing.then(async () => {
    const ready = (await Promise.all(pictures.map(decoded))).filter((picture) => picture !== null);
    requestAnimationFrame(() => {
      ready.forEach((picture) => showPicture(picture, link));
      if (ready.length > 1) {
        writeAll();
      }
    });
  });
}

function showPicture(picture, link) {
  const tile = tiles.get(picture.number);
  if (tile && link === links) {
    tile.showPicture(picture);
    tile.write(clock.now(), linked);
  }
}

function newestPicture() {
  const times = [...tiles.values()].map((tile) => tile.provenAt).filter((at) => at !== null);
  return times.length > 0 ? Math.max(...times) : null;
}

function writeAll() {
  const now = clock.now();
  for (const tile of tiles.values()) {
    tile.write(now, linked);
  }
  tools.count();
  attention.write([...tiles.values()].filter((tile) => tile.attention));
  views.write();
}

function tellVisible() {
  if (gathering === 0) {
    gathering = setTimeout(() => {
      gathering = 0;
      const shown = document.hidden ? [] : [...visible].sort((a, b) => a - b);
      const large = document.hidden ? [] : views.large;
      link.show(shown, tileWidth(widthOfTiles() * window.devicePixelRatio), large);
    }, GATHER_MS);
  }
}

function widthOfTiles() {
  const shown = [...tiles.values()].find((tile) => tile.element.isConnected);
  return shown ? shown.element.clientWidth : 0;
}

document.addEventListener("visibilitychange", () => {
  tellVisible();
  if (!document.hidden && link.isWaiting) {
    link.open();
  }
});
window.addEventListener("online", () => link.isWaiting && link.open());

window.addEventListener("pagehide", () => {
  keepWalk(page.query, [...wall.querySelectorAll("li.tile")].map((tile) => tile.dataset.workstation));
});

setInterval(() => {
  if (!document.hidden) {
    if (!bursts.burst()) {
      writeAll();
    }
    note.tick();
  }
}, WRITE_MS);

document.getElementById("tally").textContent = t("Opening…");
link.open();
