// The screen's player: shows what the service says; without the service, its fallbacks in turn.

import { Link } from "./link.js";
import { fetchPlaylist, keptPlaylist, keepPlaylist } from "./playlist.js";
import { Stage } from "./screen.js";
import { Store } from "./store.js";
import { ask, rememberedToken } from "./token.js";

// Milliseconds without the service after which the fallbacks are shown.
const ALONE_AFTER = 4000;
// Milliseconds between two tries to reach the service: at first, and at most.
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;
// Milliseconds from a fallback that cannot be shown to the next one.
const SKIP_AFTER = 1000;

const store = new Store();
let playlist = null;
let stage = null;
let link = null;
let alone = null; // the timer that shows the next fallback

/** Begin with a playlist; another one later begins everything anew. */
async function begin(found) {
  playlist = found;
  stage = new Stage(found, store, tell);
  await store.keep(found.contents);
}

/** Tell the service what is on the screen, nothing while the page is hidden, or what cannot be. */
function tell(report) {
  const without = report.failed ?? report.missing;
  if (without && alone !== null) goOnAlone(without, SKIP_AFTER);
  if (!report.missing) link?.send(report.showing && document.hidden ? { showing: null } : report);
}

function repeat() {
  if (stage) tell({ showing: stage.showing });
}

/** Show the fallback after `name`, or the first, in so many milliseconds. */
function goOnAlone(name, milliseconds) {
  clearTimeout(alone);
  alone = setTimeout(nextAlone, milliseconds, name);
}

function nextAlone(name) {
  const fallbacks = playlist.contents.filter(({ fallback }) => fallback);
  const next = fallbacks[(fallbacks.findIndex((content) => content.name === name) + 1) % fallbacks.length];
  goOnAlone(next.name, 1000 * next.seconds);
  stage.show(next.name);
}

function hear(name) {
  clearTimeout(alone);
  alone = null;
  document.body.dataset.link = "on";
  if (name) stage.show(name);
  repeat();
}

/** One connection, from asking for the playlist to its loss. */
async function connect() {
  const token = rememberedToken();
  const found = await fetchPlaylist(token);
  if (found === "token") return ask();
  if (playlist && JSON.stringify(found) !== JSON.stringify(playlist)) return location.reload();
  await keepPlaylist(found);
  if (!playlist) begin(found);
  link = new Link(token, hear);
  await link.lost;
  link = null;
}

async function stay() {
  let pause = FIRST_PAUSE;
  for (;;) {
    const begun = performance.now();
    await connect().catch(() => {});
    document.body.dataset.link = "off";
    if (performance.now() - begun > ALONE_AFTER) pause = FIRST_PAUSE;
    if (playlist && alone === null) goOnAlone(null, ALONE_AFTER);
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

/** Without the service at the start: what was kept of it. */
async function remember() {
  const kept = await keptPlaylist();
  if (!kept || playlist) return;
  begin(kept);
  nextAlone(null);
}

document.addEventListener("visibilitychange", repeat);
navigator.serviceWorker?.register("sw.js").catch(() => {}); // not over plain HTTP from another machine
navigator.wakeLock?.request("screen").catch(() => {});
navigator.storage?.persist?.();
setTimeout(remember, ALONE_AFTER);
stay();
