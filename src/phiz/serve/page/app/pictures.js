// The pictures that were dropped, pasted, picked or kept from the camera.

import { currentEngine } from "./engines.js";
import { complain, report, tell } from "./notices.js";
import { inWords, showCards, showTable } from "./results.js";
import { drawBoxes, showNothing, showPicture } from "./stage.js";
import { countFaces, Plain, say } from "./words.js";

const byId = (id) => document.getElementById(id);
const MOST = 50;

const pictures = []; // {name, blob, url, item, result, error, seconds}
let shown = null; // the picture on the stage
let queue = Promise.resolve();

/** Take pictures, show the first and analyse them one after another; onPick: called when one is chosen below. */
export function addPictures(files, onPick) {
  if (files.length > MOST) complain(new Plain("error.many", { most: MOST }));
  const fresh = [...files].slice(0, MOST).map((blob) => {
    const picture = { name: blob.name || say("column.picture"), blob, url: URL.createObjectURL(blob) };
    picture.item = filmItem(picture, onPick);
    return picture;
  });
  if (!fresh.length) return;
  pictures.push(...fresh);
  byId("thumbs").append(...fresh.map(({ item }) => item));
  select(fresh[0]);
  analyzeWaiting();
}

/** Analyse the pictures that have no answer yet. */
function analyzeWaiting() {
  const engine = currentEngine();
  if (!engine) return;
  queue = queue.then(async () => {
    for (const picture of [...pictures]) {
      if (engine !== currentEngine() || picture.result || picture.error || !pictures.includes(picture)) continue;
      await analyze(picture, engine);
    }
  });
}

/** Analyse the pictures that have no answer, those included that failed. */
export function retry() {
  for (const picture of pictures) delete picture.error;
  analyzeWaiting();
}

async function analyze(picture, engine) {
  const failure = await engine.ready.then(() => null, (error) => error);
  try {
    if (failure) throw failure;
    const start = performance.now();
    const { width, height, faces } = await engine.analyze(picture.blob);
    picture.result = { path: picture.name, width, height, faces, error: null };
    picture.seconds = ((performance.now() - start) / 1000).toFixed(2);
  } catch (error) {
    if (engine !== currentEngine() || !pictures.includes(picture)) return; // another engine will look at it
    picture.error = error;
    // Why there is no engine has been said once, not for every picture.
    if (!failure) complain(new Plain("error.name", { name: picture.name, text: error }));
  }
  if (!pictures.includes(picture)) return;
  refresh();
  if (shown === picture) await select(picture);
  if (picture.result) tell(say("shown", { name: picture.name, faces: inWords(picture.result.faces) }));
}

/** Every answer so far, in the order of the pictures. */
export function results() {
  return pictures.filter(({ result }) => result).map(({ result }) => result);
}

async function select(picture) {
  shown = picture;
  refresh();
  const image = await showPicture(picture.url, picture.name);
  if (shown !== picture) return;
  const { result, error, name, seconds } = picture;
  byId("stage").toggleAttribute("data-busy", !result && !error);
  redraw();
  showCards(result?.faces ?? [], image, result?.width ?? 1);
  if (!result) report(error ? say("failed", { name }) : say("working", { name }));
  else report(result.faces.length ? say("took", { faces: countFaces(result.faces.length), seconds }) : say("none"));
}

/** Draw the boxes of the picture on the stage again, as after a change of its size. */
export function redraw() {
  if (!shown) return;
  const { faces, width, height } = shown.result ?? { faces: [], width: 1, height: 1 };
  drawBoxes(faces, width, height);
}

/** Show the newest picture, or nothing where there is none. */
export function showNewest() {
  if (pictures.length) {
    select(pictures.at(-1));
    return;
  }
  leaveStage();
  showNothing();
  showCards([], byId("picture"), 1);
  report("");
}

/** Leave the stage to the camera. */
export function leaveStage() {
  shown = null;
  byId("stage").removeAttribute("data-busy");
  refresh();
}

/** Forget every picture. */
export function forgetAll() {
  for (const { url, item } of pictures) {
    URL.revokeObjectURL(url);
    item.remove();
  }
  pictures.length = 0;
  refresh();
}

/** Show everything again, as after a change of language. */
export function rewrite() {
  refresh();
  if (shown) select(shown);
}

function refresh() {
  byId("film").hidden = pictures.length === 0;
  byId("data").hidden = results().length === 0;
  for (const { item, result, error, name } of pictures) {
    const count = error ? "!" : (result?.faces.length ?? "…");
    item.querySelector("span").textContent = count;
    const words = error ? say("failed", { name }) : result ? countFaces(result.faces.length) : "…";
    item.firstChild.setAttribute("aria-label", `${name}: ${words}`);
  }
  for (const { item } of pictures) item.firstChild.removeAttribute("aria-current");
  shown?.item.firstChild.setAttribute("aria-current", "true");
  showTable(results());
}

function filmItem(picture, onPick) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const image = document.createElement("img");
  button.type = "button";
  button.title = picture.name;
  image.src = picture.url;
  image.alt = "";
  image.addEventListener("error", () => image.remove());
  button.append(image, document.createElement("span"));
  button.addEventListener("click", () => {
    onPick();
    select(picture);
  });
  item.append(button);
  return item;
}
