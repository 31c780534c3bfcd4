// What is on the screen: one element a content, the next fades in over the one before.

import { address } from "./store.js";

// Milliseconds that a content may take until it can be seen.
const PATIENCE = 10000;

/** Shows one content at a time. tell: gets {showing: name} when one appears, {failed: name} when one cannot. */
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
      element = await within(PATIENCE, this.#make(this.contents.get(name)));
    } catch (error) {
      console.error(`phiz: cannot show ${name}:`, error);
      if (this.#wanted === name) this.#wanted = this.showing;
      for (const frame of this.#place.querySelectorAll("iframe.waiting")) frame.remove();
      this.tell({ failed: name });
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

  async #make(content) {
    const element = await this[content.kind](content);
    element.dataset.content = content.name;
    return element;
  }

  async picture(content) {
    const image = new Image();
    image.src = await this.store.url(content);
    await image.decode();
    return image;
  }

  async video(content) {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, loop: true, playsInline: true, src: await this.store.url(content) });
    await new Promise((resolve, reject) => {
      video.oncanplay = resolve;
      video.onerror = () => reject(video.error);
    });
    video.play().catch(() => {}); // it was taken away at once
    return video;
  }

  async page(content) {
    await this.store.url(content); // so that it is there without the service, too
    const frame = document.createElement("iframe");
    frame.className = "waiting"; // in the document, but hidden: else it would not load
    frame.src = address(content);
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
