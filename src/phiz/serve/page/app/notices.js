// What the page says: a line beside the picture, words for a screen reader, errors until they are closed.

import { explain, Plain, say } from "./words.js";

const byId = (id) => document.getElementById(id);
let errors = []; // {texts, box}, oldest first; texts: function to the lines of the error
let unread = null; // the one of them that is about pictures
let pictures = []; // {name, error} of the pictures that could not be read

/** Show one line beside the picture. */
export function report(text) {
  byId("status").textContent = text;
}

/** Say something to a screen reader. */
export function tell(text) {
  byId("live").textContent = text;
}

/** Show an error until it is closed or the next attempt. */
export function complain(error) {
  log(error);
  if (!errors.some(({ texts }) => texts()[0] === explain(error))) show(() => [explain(error)]);
}

/** Say why a picture could not be read: all such pictures share one box, several a list to open. */
export function complainOf(name, error) {
  log(error);
  pictures.push({ name, error });
  if (unread) write();
  else unread = show(() => pictures.map((picture) => explain(new Plain("error.name", { name: picture.name, text: picture.error }))));
}

/** Take every error away. */
export function dismissAll() {
  for (const error of errors) dismiss(error);
}

/** Put the errors into the chosen language. */
export function write() {
  for (const { texts, box } of errors) {
    const lines = texts();
    box.querySelector("p").textContent = lines.length > 1 ? "" : lines[0];
    box.querySelector("details").hidden = lines.length < 2;
    box.querySelector("summary").textContent = say("unread", { n: lines.length });
    box.querySelector("ul").replaceChildren(...lines.map(listItem));
    box.querySelector("button").textContent = say("dismiss");
  }
}

function show(texts) {
  const box = document.createElement("div");
  box.setAttribute("role", "alert");
  box.innerHTML = `<p></p><details><summary></summary><ul></ul></details><button type="button"></button>`;
  const error = { texts, box };
  box.querySelector("button").addEventListener("click", () => {
    dismiss(error);
    byId("pick").focus();
  });
  errors.push(error);
  write();
  byId("errors").append(box);
  return error;
}

function dismiss(error) {
  errors = errors.filter((other) => other !== error);
  error.box.remove();
  if (error !== unread) return;
  unread = null;
  pictures = [];
}

function listItem(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

/** Keep what the browser or the service said for whoever looks closer. */
function log(error) {
  console.warn(explain(error), error instanceof Plain ? (error.values.detail ?? "") : error);
}
