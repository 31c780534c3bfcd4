// What is on the screen: one element a content, the next fades in over the one before.

import { address } from "./store.js";

// Milliseconds that a content which has come may take until it can be seen.
const PATIENCE = 10000;

/**
 * Shows one content at a time. tell: gets {showing: name} when one appears, {failed: name} when this browser cannot show
 * it, {missing: name} when it cannot be fetched now.
 */
export class Stage {
  showing = null;
  #wanted = null;
  #place = document.getElementById("stage");

  constructor({ contents, fade_seconds: fade }, store, tell) {
    this.contents = new Map(contents.map((content) => [content.name, content]));
    this.fade = 1000 * fade;
    this.store = store;
    this.tell = tell;
  }

  /** Show a content as soon as it is ready, unless another is wanted before that. */
  async show(name) {
    if (name === this.#wanted) return;
    this.#wanted = name;
    let element;
    try {
      const content = this.contents.get(name);
      const url = await this.store.url(content); // of a large video that takes its time
      element = await within(PATIENCE, this[content.kind](content, url));
    } catch (error) {
      console.error(`phiz: cannot show ${name}:`, error);
      if (this.#wanted === name) this.#wanted = this.showing;
      for (const frame of this.#place.querySelectorAll("iframe.waiting")) frame.remove();
      this.tell(error instanceof TypeError ? { missing: name } : { failed: name }); // so fetch says: no network
      return;
    }
    if (this.#wanted !== name) return element.remove();
    const before = [...this.#place.children].filter((other) => other !== element);
    element.classList.remove("waiting");
    this.#place.append(...(element.isConnected ? [] : [element])); // a frame that moves would load again
    this.showing = name;
    document.body.dataset.shown = name;
    this.tell({ showing: name });
    await element.animate([{ opacity: 0 }, { opacity: 1 }], { duration: this.fade, fill: "backwards" }).finished;
    for (const other of before) other.remove();
  }

  async picture(content, url) {
    const image = new Image();
    image.src = url;
    image.alt = content.name;
    await image.decode();
    return image;
  }

  async video(content, url) {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, loop: true, playsInline: true, src: url });
    await new Promise((resolve, reject) => {
      video.oncanplay = resolve;
      video.onerror = () => reject(video.error);
    });
    video.play().catch(() => {}); // it was taken away at once
    return video;
  }

  async page(content) {
    const frame = document.createElement("iframe");
    frame.title = content.name;
    frame.className = "waiting"; // in the document, but hidden: else it would not load
    frame.src = address(content); // not in memory: there it would have the player's origin
    await new Promise((resolve) => {
      frame.onload = resolve;
      this.#place.append(frame);
    });
    return frame;
  }
}

function within(milliseconds, promise) {
  const late = new Promise((_, reject) => setTimeout(reject, milliseconds, new Error("it took too long")));
  return Promise.race([promise, late]);
}
