// The page: what its buttons, keys and files do.

import { NAMES } from "../about/names.js";
import { findAudience, listenToAudience, rewriteAudience } from "./audience.js";
import { chooseEngine, currentEngine, findEngines, showNote, whenEngineChanges } from "./engines.js";
import { asCsv, asJson, save } from "./downloads.js";
import { cameraIsOn, keepFrame, startCamera, stopCamera } from "./live.js";
import { complain, dismissAll, write } from "./notices.js";
import { addPictures, analyzeEarlier, forgetAll, redraw, results, retry, rewrite, showNewest } from "./pictures.js";
import { asText } from "./results.js";
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

/** Say how good the networks are that answer now, by their cards. */
function showAccuracy() {
  const { age, gender } = currentEngine()?.cards ?? {};
  const years = figure(age, "age_mae");
  const share = figure(gender, "gender_accuracy");
  const words = [];
  if (years !== undefined) words.push(say("accuracy.age", { model: age.name, years: years.toFixed(1) }));
  if (share !== undefined) words.push(say("accuracy.gender", { model: gender.name, percent: Math.round(100 * share) }));
  byId("accuracy").textContent = words.join(" ");
  const known = [...new Set([age?.name, gender?.name])].filter((name) => NAMES.includes(name));
  byId("about").replaceChildren(...known.map(aboutLink));
}

/** A link to all that there is to say of a model. */
function aboutLink(model) {
  const link = document.createElement("a");
  link.href = `about/${model}.txt`;
  link.target = "_blank"; // pictures on this page would be gone
  link.textContent = say("about", { model });
  return link;
}

/** A figure on a card: its steps of making stand in order, so the last one is about the weights as they are. */
function figure(card, name) {
  return Object.values(card?.figures.validation ?? {}).findLast((step) => step?.[name] !== undefined)?.[name];
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
  onClick("again", analyzeEarlier);
  onClick("clear", () => {
    dismissAll();
    forgetAll();
    if (!cameraIsOn()) showNewest();
    byId("pick").focus();
  });
  onClick("copy-table", () => copy(asText()));
  onClick("copy-json", () => copy(asJson(results())));
  onClick("save-csv", () => save("faces.csv", `\ufeff${asCsv(results())}`, "text/csv")); // the mark: for spreadsheets
  onClick("save-json", () => save("faces.json", asJson(results()), "application/json"));
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
whenEngineChanges(
  () => {
    showAccuracy();
    retry();
  },
  () => {
    showAccuracy();
    rewrite();
  },
);
findEngines().then((serving) => serving && findAudience(""));
