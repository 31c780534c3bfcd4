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

  /** Hand each new frame to `onFrame` (awaited, so that none piles up) until the camera is closed. */
  async run(onFrame) {
    let time = -1;
    while (this.running) {
      await new Promise(requestAnimationFrame);
      if (this.track.readyState === "ended" && this.running) throw new Plain("camera.lost");
      if (this.video.currentTime === time) continue;
      time = this.video.currentTime;
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

/** The cameras of this device, as [{deviceId, label}]; known once one has been opened. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput");
}
