// The camera: opening it, one frame after another to an engine, what can go wrong in words.

import { Plain } from "./words.js";

const SIZE = { width: { ideal: 640 }, height: { ideal: 480 } };
const FAILURES = {
  NotAllowedError: "camera.denied",
  SecurityError: "camera.denied",
  NotFoundError: "camera.missing",
  OverconstrainedError: "camera.missing",
  NotReadableError: "camera.used",
  AbortError: "camera.used",
};

// Milliseconds after which a camera without a new frame is looked at again: it may have been unplugged.
const SILENCE = 500;

/** A running camera shown in a video element. */
export class Camera {
  /** Open a camera; device: its id, or nothing for the one that looks at the user. */
  static async open(video, device) {
    if (!navigator.mediaDevices?.getUserMedia) throw new Plain("camera.insecure");
    const which = device ? { deviceId: { exact: device } } : { facingMode: "user" };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...which }, audio: false });
    } catch (error) {
      throw new Plain(FAILURES[error.name] ?? "camera.broken", { detail: error.message });
    }
    video.srcObject = stream;
    await video.play();
    return new Camera(video, stream);
  }

  constructor(video, stream) {
    this.video = video;
    this.stream = stream;
    [this.track] = stream.getVideoTracks();
    const { facingMode, deviceId } = this.track.getSettings();
    this.device = deviceId;
    this.mirrored = facingMode !== "environment";
    this.running = true;
  }

  /**
   * Hand each new frame to `onFrame` until the camera is closed. It is awaited, so that none piles up; one that came
   * meanwhile is next at once, without waiting for the screen.
   */
  async run(onFrame) {
    let wake = () => {};
    let fresh = false;
    const came = () => {
      fresh = true;
      wake();
      if (this.running) nextFrame(this.video, came);
    };
    nextFrame(this.video, came);
    while (this.running) {
      if (!fresh) await new Promise((resolve) => setTimeout((wake = resolve), SILENCE));
      if (this.track.readyState === "ended" && this.running) throw new Plain("camera.lost");
      if (!fresh || !this.running) continue;
      fresh = false;
      await onFrame();
    }
  }

  /** The current frame as a JPEG. */
  shot() {
    const canvas = document.createElement("canvas");
    canvas.width = this.video.videoWidth;
    canvas.height = this.video.videoHeight;
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  }

  close() {
    this.running = false;
    for (const track of this.stream.getTracks()) track.stop();
    if (this.video.srcObject === this.stream) this.video.srcObject = null;
  }
}

/** Call `action` when the video shows another frame. */
function nextFrame(video, action) {
  if (video.requestVideoFrameCallback) {
    video.requestVideoFrameCallback(action);
    return;
  }
  const time = video.currentTime;
  const look = () => (video.currentTime === time ? requestAnimationFrame(look) : action());
  requestAnimationFrame(look);
}

/** The cameras of this device, as [{deviceId, label}]; known once one has been opened. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput");
}
