// The page: what its buttons, keys and files do.

import { findAudience, listenToAudience, rewriteAudience } from "./audience.js";
import { chooseEngine, findEngines, showNote, whenEngineChanges } from "./engines.js";
import { cameraIsOn, keepFrame, startCamera, stopCamera } from "./live.js";
import { complain, dismissAll, write } from "./notices.js";
import { addPictures, forgetAll, redraw, results, retry, rewrite, showNewest } from "./pictures.js";
import { asJson, asText } from "./results.js";
import { Plain, preferredLanguage, remember, say, speak } from "./words.js";

const byId = (id) => document.getElementById(id);

function take(files) {
  stopCamera();
  addPictures(files, stopCamera);
}

/** Files from a paste or a drop; other: whether it may be meant for something else. */
function receive({ files }, other = false) {
  dismissAll();
  if (files.length) take(files);
  else if (!other) complain(new Plain("error.nofile"));
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

function chooseLanguage(language) {
  speak(language);
  write();
  showNote();
  rewrite();
  rewriteAudience();
  showAccuracy();
}

let card; // of the network, once it is read

async function readCard() {
  try {
    card = await (await fetch(new URL("../models/multitask-64.json", import.meta.url))).json();
    showAccuracy();
  } catch {
    // the card is missing; the engine says so
  }
}

function showAccuracy() {
  const fitted = card?.figures.validation?.fitted;
  if (!fitted) return;
  const values = { years: fitted.age_mae.toFixed(1), percent: Math.round(100 * fitted.gender_accuracy) };
  byId("accuracy").textContent = say("accuracy", values);
}

function onClick(id, action) {
  byId(id).addEventListener("click", action);
}

function listenToButtons() {
  onClick("pick", () => byId("files").click());
  byId("files").addEventListener("change", ({ target }) => {
    dismissAll();
    take(target.files);
    target.value = "";
  });
  onClick("camera", () => {
    if (!cameraIsOn()) return startCamera();
    stopCamera();
    showNewest();
  });
  byId("cameras").addEventListener("change", ({ target }) => startCamera(target.value));
  onClick("shot", async () => take([await keepFrame()]));
  onClick("clear", () => {
    forgetAll();
    if (!cameraIsOn()) showNewest();
    byId("pick").focus();
  });
  onClick("copy-table", () => copy(asText()));
  onClick("copy-json", () => copy(asJson(results())));
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      remember("language", button.dataset.language);
      chooseLanguage(button.dataset.language);
    });
  }
}

function listenToChoices() {
  for (const radio of document.querySelectorAll("[name=where]")) {
    radio.addEventListener("change", () => {
      remember("where", radio.value);
      dismissAll();
      byId("token-form").hidden = true;
      chooseEngine();
    });
  }
  byId("gpu").addEventListener("change", chooseEngine);
  byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("token-form").hidden = true;
    dismissAll();
    chooseEngine();
    findAudience(byId("token").value);
  });
}

function listenToFiles() {
  document.addEventListener("paste", ({ clipboardData, target }) => {
    receive(clipboardData, target.matches?.("input") || clipboardData.types.includes("text/plain"));
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
    receive(event.dataTransfer);
  });
  new ResizeObserver(redraw).observe(byId("frame"));
}

speak(preferredLanguage());
listenToButtons();
listenToChoices();
listenToFiles();
listenToAudience();
whenEngineChanges(retry);
readCard();
findEngines().then((serving) => serving && findAudience(""));
