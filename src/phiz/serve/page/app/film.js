// The strip of small pictures below the stage.

import { countFaces, say } from "./words.js";

const film = document.getElementById("film");
const thumbs = document.getElementById("thumbs");

/** Add the small picture of each of `pictures`; onPick: called with the one that is chosen. */
export function addThumbs(pictures, onPick) {
  for (const picture of pictures) {
    picture.item = thumb(picture);
    picture.item.firstChild.addEventListener("click", () => onPick(picture));
  }
  thumbs.append(...pictures.map(({ item }) => item));
}

/** Say of each picture how far it is; shown: the one on the stage; isEarlier: whether an answer is another engine's. */
export function writeThumbs(pictures, shown, isEarlier) {
  film.hidden = pictures.length === 0;
  for (const picture of pictures) {
    const { item, result, error, name, by } = picture;
    const earlier = isEarlier(picture);
    const words = [error ? say("failed", { name }) : `${name}: ${result ? countFaces(result.faces.length) : "…"}`];
    if (earlier) words.push(say(`by.${by.where}`));
    item.querySelector("span").textContent = error ? "!" : (result?.faces.length ?? "…");
    item.classList.toggle("failed", Boolean(error));
    item.classList.toggle("earlier", earlier);
    item.firstChild.title = words.join(", ");
    item.firstChild.setAttribute("aria-label", words.join(", "));
    if (picture === shown) item.firstChild.setAttribute("aria-current", "true");
    else item.firstChild.removeAttribute("aria-current");
  }
}

function thumb({ name, url }) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const image = document.createElement("img");
  button.type = "button";
  image.src = url;
  image.alt = "";
  image.addEventListener("error", () => {
    const words = document.createElement("b"); // no blank where the browser cannot show it
    words.textContent = name;
    image.replaceWith(words);
  });
  button.append(image, document.createElement("span"));
  item.append(button);
  return item;
}
