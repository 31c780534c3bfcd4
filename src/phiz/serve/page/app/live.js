// The camera on the page: frames to the engine, steadied faces to the stage.

import { inWords } from "./phrases.js";
import { Camera, listCameras } from "./camera.js";
import { currentEngine } from "./engines.js";
import { complain, dismissAll, report, tell } from "./notices.js";
import { leaveStage, showNewest } from "./pictures.js";
import { showCards } from "./results.js";
import { drawBoxes, showCamera } from "./stage.js";
import { Tracks } from "./tracks.js";
import { countFaces, say } from "./words.js";

const byId = (id) => document.getElementById(id);
// Faces are told to a screen reader at most once in so many milliseconds.
const TELL_EVERY = 5000;
// Frames over which the rate is the mean.
const RATE_FRAMES = 20;

let camera = null;
let attempts = 0; // asking for a camera takes as long as the visitor likes

/** Whether the camera is on. */
export function cameraIsOn() {
  return camera !== null;
}

/** Switch the camera on and analyse it until it is switched off; device: its id, or nothing for the usual one. */
export async function startCamera(device) {
  stopCamera();
  dismissAll();
  const attempt = attempts;
  const video = byId("video");
  let opened;
  try {
    opened = await Camera.open(video, device);
  } catch (error) {
    if (attempt === attempts) complain(error);
    return;
  }
  if (attempt !== attempts) {
    opened.close();
    return;
  }
  camera = opened;
  leaveStage();
  showCamera(opened.mirrored);
  showCards([], video, 1);
  showButtons();
  report(say("waiting"));
  const onFrame = frameHandler(video, () => camera === opened);
  try {
    await opened.run(onFrame);
  } catch (error) {
    if (camera !== opened) return;
    stopCamera();
    complain(error);
    showNewest();
  }
}

/** Switch the camera off, where it is on. */
export function stopCamera() {
  attempts++;
  if (!camera) return;
  camera.close();
  camera = null;
  showButtons();
}

/** The current frame as a file. */
export async function keepFrame() {
  const time = new Date().toLocaleTimeString(document.documentElement.lang);
  const blob = await camera.shot();
  return new File([blob], say("camera.picture", { time }), { type: blob.type });
}

function frameHandler(video, isCurrent) {
  const tracks = new Tracks();
  const times = [];
  let told = -Infinity;
  return async () => {
    const engine = currentEngine();
    if (!engine) return;
    let result;
    try {
      result = await engine.frame(video);
    } catch (error) {
      if (engine !== currentEngine()) return; // the switch was used meanwhile
      throw error;
    }
    if (!isCurrent()) return;
    const now = performance.now();
    const faces = tracks.update(result.faces, now / 1000);
    drawBoxes(faces, result.width, result.height);
    showCards(faces, video, result.width);
    times.push(now);
    if (times.length > RATE_FRAMES) times.shift();
    const rate = times.length > 1 ? Math.round((1000 * (times.length - 1)) / (now - times[0])) : 0;
    report(say("rate", { faces: countFaces(faces.length), rate }));
    if (now - told > TELL_EVERY) {
      told = now;
      tell(inWords(faces));
    }
  };
}

async function showButtons() {
  byId("camera").dataset.t = camera ? "camera.stop" : "camera.start";
  byId("camera").textContent = say(byId("camera").dataset.t);
  byId("shot").hidden = !camera;
  byId("which").hidden = true;
  if (!camera) return;
  const { device } = camera;
  const found = await listCameras();
  byId("which").hidden = found.length < 2 || !camera;
  byId("cameras").replaceChildren(
    ...found.map(({ deviceId, label }, i) => new Option(label || say("camera.name", { n: i + 1 }), deviceId)),
  );
  byId("cameras").value = device;
}
