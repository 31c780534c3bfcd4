// What the page says: a line beside the picture, words for a screen reader, errors until they are closed.

import { explain, Plain, say } from "./words.js";

const byId = (id) => document.getElementById(id);
let errors = []; // {error, box}, oldest first

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
  console.warn(explain(error), error instanceof Plain ? "" : error); // for whoever looks closer
  if (errors.some((old) => explain(old.error) === explain(error))) return;
  const box = document.createElement("div");
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", () => {
    errors = errors.filter((old) => old.box !== box);
    box.remove();
    byId("pick").focus();
  });
  box.setAttribute("role", "alert");
  box.append(document.createElement("p"), button);
  errors.push({ error, box });
  write();
  byId("errors").append(box);
}

/** Take every error away. */
export function dismissAll() {
  errors = [];
  byId("errors").replaceChildren();
}

/** Put the errors into the chosen language. */
export function write() {
  for (const { error, box } of errors) {
    box.querySelector("p").textContent = explain(error);
    box.querySelector("button").textContent = say("dismiss");
  }
}
