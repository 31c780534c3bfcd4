// What the page says, in the chosen language; the texts are in english.js and korean.js.

import { ENGLISH } from "./english.js";
import { KOREAN } from "./korean.js";

const WORDS = { en: ENGLISH, ko: KOREAN };

let language = "en";

/**
 * What went wrong, in words the page can say in each language: a key of WORDS and its values. A value `detail` is what
 * the browser or the service said, for the console alone: it is English whatever the page is.
 */
export class Plain extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** The text for `key` in the chosen language. */
export function say(key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** The text of any error; a value may be an error itself. */
export function explain(error) {
  if (!(error instanceof Plain)) return say("error.crash");
  const values = Object.entries(error.values).map(([key, value]) => [key, value instanceof Error ? explain(value) : value]);
  return say(error.key, Object.fromEntries(values));
}

/** "No face found", "1 face" or "3 faces". */
export function countFaces(count) {
  return say(count === 0 ? "faces.none" : count === 1 ? "faces.one" : "faces.many", { n: count });
}

/** What was chosen here before, else the browser's first language that the page has. */
export function preferredLanguage() {
  const wanted = [remembered("language"), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => tag in WORDS) ?? "en";
}

/** Show the page in a language; elements say which text they hold with data-t and data-t-label. */
export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = say(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", say(element.dataset.tLabel));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  }
}

/** A choice kept in this browser; nothing about pictures is ever kept. */
export function remembered(name) {
  try {
    return localStorage.getItem(`phiz.${name}`);
  } catch {
    return null; // storage is switched off
  }
}

/** Keep a choice in this browser. */
export function remember(name, value) {
  try {
    localStorage.setItem(`phiz.${name}`, value);
  } catch {
    // storage is switched off: the choice lasts as long as the page
  }
}
