// Which engine answers: this device or the server.

import { Device } from "./device.js";
import { complain } from "./notices.js";
import { Server, serverIsThere } from "./server.js";
import { Plain, remembered, say } from "./words.js";

const byId = (id) => document.getElementById(id);
const NOTES = { loading: "note.device.loading", ready: "note.device", failed: "note.device.failed" };

let engine; // Device or Server
let state = "loading";
let onChange = () => {};
let onSettle = () => {};
let serving = false; // whether a phiz service is behind this page
let graphics = false; // whether the browser offers a graphics processor

/**
 * The engine that answers now: `where` ("device" or "server"), `ready`, analyze(blob), frame(video), and once it is
 * ready `cards`, those of the networks that tell age and gender. Undefined before findEngines.
 */
export function currentEngine() {
  return engine;
}

/** Have `chosen` called each time another engine is to answer, `settled` once it can or cannot. */
export function whenEngineChanges(chosen, settled) {
  onChange = chosen;
  onSettle = settled;
}

/** Learn what there is to choose from, and choose what was chosen last time; tells whether there is a service. */
export async function findEngines() {
  [serving, graphics] = await Promise.all([serverIsThere(), hasGraphics()]);
  const server = document.querySelector("[name=where][value=server]");
  server.disabled = !serving;
  if (serving && remembered("where") === "server") server.checked = true;
  byId("gpu").checked = false; // some browsers keep it over a reload
  chooseEngine();
  return serving;
}

/** Start the engine that the switch names. */
export function chooseEngine() {
  engine?.close();
  const gpu = byId("gpu").checked;
  const chosen = where() === "device" ? new Device(gpu) : new Server(byId("token").value);
  engine = chosen;
  state = "loading";
  showNote();
  chosen.ready.then(
    () => settle(chosen, "ready"),
    (error) => {
      if (engine !== chosen) return;
      if (where() === "device" && gpu) {
        byId("gpu").checked = false;
        complain(new Plain("error.gpu", { detail: error.values?.detail ?? error.message }));
        chooseEngine();
        return;
      }
      byId("token-form").hidden = error.key !== "error.token";
      complain(error);
      settle(chosen, "failed");
    },
  );
  onChange();
}

/** Say what happens to a picture. */
export function showNote() {
  document.body.dataset.engine = `${where()}-${state}`;
  const notes = where() === "device" ? [say(NOTES[state])] : [say("note.server", { host: location.host })];
  if (state === "ready" && !serving) notes.push(say("note.server.none"));
  byId("note").textContent = notes.join(" ");
  byId("gpu-choice").hidden = where() !== "device" || !graphics;
}

function settle(chosen, reached) {
  if (engine !== chosen) return;
  state = reached;
  showNote();
  onSettle();
}

function where() {
  return document.querySelector("[name=where]:checked").value;
}

async function hasGraphics() {
  try {
    return Boolean(await navigator.gpu?.requestAdapter());
  } catch {
    return false;
  }
}
