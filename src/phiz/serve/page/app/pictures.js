// The pictures that were dropped, pasted, picked or kept from the camera.

import { inWords } from "./phrases.js";
import { currentEngine } from "./engines.js";
import { addThumbs, writeThumbs } from "./film.js";
import { complain, complainOf, report, tell } from "./notices.js";
import { showCards, showTable } from "./results.js";
import { drawBoxes, showNothing, showPicture } from "./stage.js";
import { countFaces, explain, Plain, say } from "./words.js";

const byId = (id) => document.getElementById(id);
const MOST = 50;

const pictures = []; // {name, blob, url, item, result or error, seconds, by: {where, model}}
let shown = null; // the picture on the stage
let queue = Promise.resolve();

/** Take pictures, show the first and analyse them one after another; onPick: called when one is chosen below. */
export function addPictures(files, onPick) {
  if (files.length > MOST) complain(new Plain("error.many", { most: MOST }));
  const fresh = [...files].slice(0, MOST).map((blob) => {
    return { name: blob.name || say("column.picture"), blob, url: URL.createObjectURL(blob) };
  });
  if (!fresh.length) return;
  pictures.push(...fresh);
  addThumbs(fresh, (picture) => {
    onPick();
    select(picture);
  });
  select(fresh[0]);
  analyzeWaiting();
}

/** Analyse the pictures that have no answer yet. */
function analyzeWaiting() {
  const engine = currentEngine();
  if (!engine) return;
  const analyzeAll = async () => {
    for (const picture of [...pictures]) {
      if (engine !== currentEngine() || picture.result || picture.error || !pictures.includes(picture)) continue;
      await analyze(picture, engine);
    }
  };
  queue = queue.then(analyzeAll).catch(complain); // whatever fails, the next ones have their turn
}

/** Analyse the pictures that have no answer, those included that failed. */
export function retry() {
  for (const picture of pictures) delete picture.error;
  rewrite();
  analyzeWaiting();
}

/** Analyse those pictures anew whose answers another engine gave. */
export function analyzeEarlier() {
  for (const picture of pictures.filter(isEarlier)) delete picture.result;
  retry();
}

async function analyze(picture, engine) {
  const failure = await engine.ready.then(() => null, (error) => error);
  try {
    if (failure) throw failure;
    const start = performance.now();
    const { width, height, faces } = await engine.analyze(picture.blob);
    picture.result = { path: picture.name, width, height, faces, error: null };
    picture.by = { where: engine.where, model: engine.cards.age.name };
    picture.seconds = ((performance.now() - start) / 1000).toFixed(2);
  } catch (error) {
    if (engine !== currentEngine() || !pictures.includes(picture)) return; // another engine will look at it
    picture.error = error;
    // Why there is no engine has been said once, not for every picture.
    if (!failure) complainOf(picture.name, error);
  }
  if (!pictures.includes(picture)) return;
  refresh();
  if (shown === picture) await select(picture);
  if (picture.result) tell(say("shown", { name: picture.name, faces: inWords(picture.result.faces) }));
}

/** Every answer so far, in the order of the pictures, as `phiz analyze --format jsonl` has them. */
export function results() {
  return answered().map(({ result }) => result);
}

/** The pictures that have an answer or failed, each with its `result`. */
function answered() {
  return pictures
    .filter(({ result, error }) => result || error)
    .map((picture) => {
      const { name, error, result, by } = picture;
      const nothing = { path: name, width: null, height: null, faces: [], error: error && explain(error) };
      return { result: result ?? nothing, by };
    });
}

/** Whether a picture's answer is one of another engine than the chosen one. */
function isEarlier({ result, by }) {
  const engine = currentEngine();
  if (!result || !engine) return false;
  return by.where !== engine.where || (engine.cards !== undefined && by.model !== engine.cards.age.name);
}

async function select(picture) {
  shown = picture;
  refresh();
  const image = await showPicture(picture.url, picture.name);
  if (shown !== picture) return;
  const { result, error } = picture;
  byId("stage").toggleAttribute("data-busy", !result && !error);
  redraw();
  showCards(result?.faces ?? [], image, result?.width ?? 1);
  report(state(picture));
}

/** How far a picture is, in words. */
function state(picture) {
  const { result, error, name, seconds, by } = picture;
  if (error) return explain(new Plain("error.name", { name, text: error }));
  if (!result) return say("working", { name });
  const found = result.faces.length
    ? say("took", { faces: countFaces(result.faces.length), seconds, by: say(`by.${by.where}`) })
    : say("none");
  return isEarlier(picture) ? `${found} (${say("earlier")})` : found;
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

/** Show everything again, as after a change of language or engine. */
export function rewrite() {
  refresh();
  if (shown) select(shown);
}

function refresh() {
  const all = answered();
  writeThumbs(pictures, shown, isEarlier);
  byId("again").hidden = !pictures.some(isEarlier);
  byId("data").hidden = all.length === 0;
  showTable(all);
}
