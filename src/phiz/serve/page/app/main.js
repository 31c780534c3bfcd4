// The page: what the buttons do, which picture is shown, which engine answers.

import { Camera, listCameras } from "./camera.js";
import { Device } from "./device.js";
import { asJson, asText, inWords, showCards, showTable } from "./results.js";
import { Server, serverIsThere } from "./server.js";
import { drawBoxes, showCamera, showNothing, showPicture } from "./stage.js";
import { Tracks } from "./tracks.js";
import { countFaces, explain, Plain, preferredLanguage, remember, remembered, say, speak } from "./words.js";

const byId = (id) => document.getElementById(id);
const MOST_PICTURES = 50;
// A camera's faces are told to a screen reader at most once in so many milliseconds.
const TELL_EVERY = 5000;

let engine; // Device or Server
let serving = false; // whether a phiz service is behind this page
let graphics = false; // whether the browser offers a graphics processor
let camera = null;
let liveFaces = [];
let shown = null; // the picture on the stage
let queue = Promise.resolve();
const pictures = []; // {name, blob, url, result, error}
const errors = []; // errors on the page, oldest first

/* Where pictures are analysed */

function chooseEngine() {
  engine?.close();
  const where = document.querySelector("[name=where]:checked").value;
  const gpu = byId("gpu").checked;
  engine = where === "device" ? new Device(gpu) : new Server(byId("token").value);
  const chosen = engine;
  showNote("loading");
  engine.ready.then(
    () => engine === chosen && showNote("ready"),
    (error) => {
      if (engine !== chosen) return;
      if (where === "device" && gpu) {
        byId("gpu").checked = false;
        complain(new Plain("error.gpu", { detail: explain(error) }));
        chooseEngine();
        return;
      }
      showNote("failed");
      complain(error);
    },
  );
  analyzeWaiting();
}

function showNote(state) {
  const where = document.querySelector("[name=where]:checked").value;
  document.body.dataset.engine = `${where}-${state}`;
  const device = { loading: "note.device.loading", ready: "note.device", failed: "note.device.failed" }[state];
  let text = where === "device" ? say(device) : say("note.server", { host: location.host });
  if (where === "device" && state === "ready" && !serving) text = `${text} ${say("note.server.none")}`;
  byId("note").textContent = text;
  byId("gpu-choice").hidden = where !== "device" || !graphics;
}

/* Pictures */

function addPictures(files) {
  const chosen = [...files].slice(0, MOST_PICTURES);
  if (files.length > MOST_PICTURES) complain(new Plain("error.many", { most: MOST_PICTURES }));
  if (!chosen.length) return;
  stopCamera();
  const fresh = chosen.map((file) => ({ name: file.name || say("column.picture"), blob: file }));
  for (const picture of fresh) picture.url = URL.createObjectURL(picture.blob);
  pictures.push(...fresh);
  showFilm();
  select(fresh[0]);
  analyzeWaiting();
}

/** Analyse, one after another, the pictures that have no answer yet. */
function analyzeWaiting() {
  const chosen = engine;
  queue = queue.then(async () => {
    for (const picture of [...pictures]) {
      if (chosen !== engine || picture.result || picture.error || !pictures.includes(picture)) continue;
      await analyze(picture, chosen);
    }
  });
}

async function analyze(picture, chosen) {
  try {
    await chosen.ready;
    const start = performance.now();
    const { width, height, faces } = await chosen.analyze(picture.blob);
    picture.result = { path: picture.name, width, height, faces, error: null };
    picture.seconds = ((performance.now() - start) / 1000).toFixed(2);
  } catch (error) {
    if (chosen !== engine) return; // another engine will look at it
    picture.error = error;
    complain(new Plain("error.name", { name: picture.name, text: explain(error) }), error);
  }
  if (!pictures.includes(picture)) return;
  showFilm();
  showTable(results());
  byId("data").hidden = !results().length;
  if (shown === picture) await select(picture);
  if (picture.result) tell(say("shown", { name: picture.name, faces: inWords(picture.result.faces) }));
}

function results() {
  return pictures.filter(({ result }) => result).map(({ result }) => result);
}

async function select(picture) {
  shown = picture;
  showFilm();
  const image = await showPicture(picture.url, picture.name);
  if (shown !== picture) return;
  const { result, error, name, seconds } = picture;
  byId("stage").toggleAttribute("data-busy", !result && !error);
  drawBoxes(result?.faces ?? [], result?.width ?? 1, result?.height ?? 1);
  showCards(result?.faces ?? [], image, result?.width ?? 1);
  if (!result) report(error ? say("failed", { name }) : say("working", { name }));
  else report(result.faces.length ? say("took", { faces: countFaces(result.faces.length), seconds }) : say("none"));
}

function showFilm() {
  byId("film").hidden = pictures.length === 0;
  byId("thumbs").replaceChildren(
    ...pictures.map((picture) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const image = document.createElement("img");
      const count = document.createElement("span");
      button.type = "button";
      button.title = picture.name;
      if (picture === shown && !camera) button.setAttribute("aria-current", "true");
      image.src = picture.url;
      image.alt = picture.name;
      count.textContent = picture.error ? "!" : (picture.result?.faces.length ?? "…");
      button.append(image, count);
      button.addEventListener("click", () => {
        stopCamera();
        select(picture);
        byId("thumbs").children[pictures.indexOf(picture)].firstChild.focus();
      });
      item.append(button);
      return item;
    }),
  );
}

function clear() {
  for (const { url } of pictures) URL.revokeObjectURL(url);
  pictures.length = 0;
  shown = null;
  byId("data").hidden = true;
  showFilm();
  if (!camera) rest();
  byId("pick").focus();
}

/** Nothing to show. */
function rest() {
  byId("stage").removeAttribute("data-busy");
  showNothing();
  showCards([], byId("picture"), 1);
  report("");
}

/* Camera */

async function startCamera(device) {
  stopCamera();
  dismissAll();
  const video = byId("video");
  let opened;
  try {
    opened = camera = await Camera.open(video, device);
  } catch (error) {
    complain(error);
    return;
  }
  shown = null;
  byId("stage").removeAttribute("data-busy");
  showCamera(opened.mirrored);
  showCameraButtons();
  showFilm();
  showCards([], video, 1);
  report(say("waiting"));
  const tracks = new Tracks();
  const times = [];
  let told = -Infinity;
  try {
    await opened.run(async () => {
      const result = await engine.frame(video);
      if (camera !== opened) return;
      const now = performance.now();
      liveFaces = tracks.update(result.faces, now / 1000);
      drawBoxes(liveFaces, result.width, result.height);
      showCards(liveFaces, video, result.width);
      times.push(now);
      if (times.length > 20) times.shift();
      const rate = times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]) : 0;
      report(say("rate", { faces: countFaces(liveFaces.length), rate: Math.round(rate) }));
      if (now - told > TELL_EVERY) {
        told = now;
        tell(inWords(liveFaces));
      }
    });
  } catch (error) {
    if (camera !== opened) return;
    stopCamera();
    complain(error);
    rest();
  }
}

function stopCamera() {
  if (!camera) return;
  camera.close();
  camera = null;
  liveFaces = [];
  showCameraButtons();
}

async function showCameraButtons() {
  byId("camera").textContent = say(camera ? "camera.stop" : "camera.start");
  byId("camera").dataset.t = camera ? "camera.stop" : "camera.start";
  byId("shot").hidden = !camera;
  byId("which").hidden = true;
  if (!camera) return;
  const found = await listCameras();
  byId("which").hidden = found.length < 2 || !camera;
  byId("cameras").replaceChildren(
    ...found.map(({ deviceId, label }, i) => new Option(label || say("camera.name", { n: i + 1 }), deviceId)),
  );
  if (camera) byId("cameras").value = camera.device;
}

async function keepShot() {
  const time = new Date().toLocaleTimeString(document.documentElement.lang);
  const blob = await camera.shot();
  addPictures([new File([blob], say("camera.picture", { time }), { type: blob.type })]);
}

/* What the page says */

function report(text) {
  byId("status").textContent = text;
}

/** Say something to a screen reader. */
function tell(text) {
  byId("live").textContent = text;
}

/** Show an error until it is dismissed or the next attempt. */
function complain(error, cause = error) {
  console.warn(error.key ?? "", error); // for whoever looks closer
  if (cause.key === "error.token") byId("token-form").hidden = false;
  const text = explain(error);
  if (errors.some((old) => old.text === text)) return;
  const box = document.createElement("div");
  const words = document.createElement("p");
  const button = document.createElement("button");
  box.setAttribute("role", "alert");
  words.textContent = text;
  button.type = "button";
  button.textContent = say("dismiss");
  button.addEventListener("click", () => {
    errors.splice(errors.findIndex((old) => old.box === box), 1);
    box.remove();
    byId("pick").focus();
  });
  box.append(words, button);
  errors.push({ text, box });
  byId("errors").append(box);
}

function dismissAll() {
  errors.length = 0;
  byId("errors").replaceChildren();
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    byId("copied").textContent = say("copied");
  } catch {
    byId("copied").textContent = say("copied.not");
  }
  setTimeout(() => (byId("copied").textContent = ""), 4000);
}

async function showAccuracy() {
  try {
    const card = await (await fetch(new URL("../models/multitask-64.json", import.meta.url))).json();
    const { age_mae, gender_accuracy } = card.figures.validation.fitted;
    const values = { years: age_mae.toFixed(1), percent: Math.round(100 * gender_accuracy) };
    byId("accuracy").textContent = say("accuracy", values);
  } catch {
    byId("accuracy").textContent = ""; // the card is missing, which the engine reports, or has no figures
  }
}

function chooseLanguage(language) {
  speak(language);
  showCameraButtons();
  showNote(document.body.dataset.engine?.split("-")[1] ?? "loading");
  showTable(results());
  if (shown) select(shown);
  showAccuracy();
}

/* Buttons, keys, files */

function listen() {
  byId("pick").addEventListener("click", () => byId("files").click());
  byId("files").addEventListener("change", ({ target }) => {
    dismissAll();
    addPictures(target.files);
    target.value = "";
  });
  byId("camera").addEventListener("click", () => {
    if (!camera) return startCamera();
    stopCamera();
    if (pictures.length) select(pictures.at(-1));
    else rest();
  });
  byId("cameras").addEventListener("change", ({ target }) => startCamera(target.value));
  byId("shot").addEventListener("click", keepShot);
  byId("clear").addEventListener("click", clear);
  byId("copy-table").addEventListener("click", () => copy(asText()));
  byId("copy-json").addEventListener("click", () => copy(asJson(results())));
  byId("gpu").addEventListener("change", chooseEngine);
  for (const radio of document.querySelectorAll("[name=where]")) {
    radio.addEventListener("change", () => {
      remember("where", radio.value);
      dismissAll();
      byId("token-form").hidden = true;
      chooseEngine();
    });
  }
  byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("token-form").hidden = true;
    dismissAll();
    for (const picture of pictures) delete picture.error;
    chooseEngine();
  });
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      remember("language", button.dataset.language);
      chooseLanguage(button.dataset.language);
    });
  }
  document.addEventListener("paste", ({ clipboardData }) => {
    dismissAll();
    if (clipboardData.files.length) addPictures(clipboardData.files);
    else if (!clipboardData.types.includes("text/plain")) complain(new Plain("error.nofile"));
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("stage").classList.add("over");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) byId("stage").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    byId("stage").classList.remove("over");
    dismissAll();
    if (event.dataTransfer.files.length) addPictures(event.dataTransfer.files);
    else complain(new Plain("error.nofile"));
  });
  new ResizeObserver(() => shown?.result && drawBoxes(shown.result.faces, shown.result.width, shown.result.height)).observe(
    byId("frame"),
  );
}

async function hasGraphics() {
  try {
    return Boolean(await navigator.gpu?.requestAdapter());
  } catch {
    return false;
  }
}

async function begin() {
  speak(preferredLanguage());
  listen();
  showAccuracy();
  [serving, graphics] = await Promise.all([serverIsThere(), hasGraphics()]);
  const server = document.querySelector("[name=where][value=server]");
  server.disabled = !serving;
  if (serving && remembered("where") === "server") server.checked = true;
  chooseEngine();
}

begin();
