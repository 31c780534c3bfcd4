// The faces as cards, as a table and as JSON.

import { ageAbout, ageRange, faceWords, flagWords, genderWords, isSure, percent } from "./phrases.js";
import { asJson } from "./downloads.js";
import { countFaces, say } from "./words.js";
import { markBox } from "./stage.js";

const cards = document.getElementById("cards");
const rows = document.getElementById("rows");
const json = document.getElementById("json");
const THUMB = 144;
// How much more than the face a thumbnail shows, and after how many milliseconds a camera's is drawn anew.
const MARGIN = 1.5;
const STALE = 2000;
// Columns of the table that hold no numbers.
const TEXTS = [0, 2, 4, 6, 8];

/** Show one card per face; source: the image or video element that they are cut out of. */
export function showCards(faces, source, width) {
  const now = performance.now();
  const old = new Map([...cards.children].map((card) => [card.dataset.face, card]));
  const wanted = faces.map((face, i) => {
    const key = String(face.id ?? `${source.src}#${i}`);
    const card = old.get(key) ?? emptyCard(key);
    fillCard(card, face, i);
    if (now - (card.drawn ?? -Infinity) > STALE) {
      drawThumb(card.querySelector("canvas"), face, source, width);
      card.drawn = now;
    }
    return card;
  });
  if (wanted.length !== cards.children.length || wanted.some((card, i) => cards.children[i] !== card)) {
    cards.replaceChildren(...wanted);
  }
}

function emptyCard(key) {
  const card = document.createElement("li");
  card.dataset.face = key;
  card.innerHTML =
    `<canvas width="${THUMB}" height="${THUMB}" aria-hidden="true"></canvas>` +
    `<div aria-hidden="true"><p class="age"><b></b><span></span></p><p class="gender"><b></b><span></span></p>` +
    `<p class="flags"></p></div><p class="hidden"></p>`;
  card.addEventListener("pointerenter", () => markBox([...cards.children].indexOf(card)));
  card.addEventListener("pointerleave", () => markBox(null));
  return card;
}

function fillCard(card, face, i) {
  write(card.querySelector(".age b"), ageRange(face));
  write(card.querySelector(".age span"), ageAbout(face));
  write(card.querySelector(".gender b"), genderWords(face));
  write(card.querySelector(".gender span"), isSure(face) ? say("certain", { percent: percent(face.gender_score) }) : "");
  write(card.querySelector(".flags"), flagWords(face).join(", "));
  write(card.querySelector(".hidden"), faceWords(face, i));
}

function write(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

function drawThumb(canvas, { box: [x, y, w, h] }, source, width) {
  canvas.hidden = source.naturalWidth === 0; // the server may read what the browser cannot show
  if (canvas.hidden) return;
  const scale = (source.naturalWidth ?? source.videoWidth) / width; // the source may be shown in another size
  const side = Math.max(w, h) * MARGIN;
  const left = x + w / 2 - side / 2;
  const top = y + h / 2 - side * 0.53;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.clearRect(0, 0, THUMB, THUMB);
  context.drawImage(source, left * scale, top * scale, side * scale, side * scale, 0, 0, THUMB, THUMB);
}

/** Show every picture's faces, or why there are none, in the table and as JSON; answers: [{result, by}]. */
export function showTable(answers) {
  rows.replaceChildren(...answers.flatMap(pictureRows));
  json.textContent = asJson(answers.map(({ result }) => result));
}

function pictureRows({ result: { path, faces, error }, by }) {
  const where = by && say("by", { where: say(`by.${by.where}`), model: by.model });
  if (error) return [wordsRow(path, error)];
  if (!faces.length) return [wordsRow(path, countFaces(0), where)];
  return faces.map((face, i) =>
    tableRow(
      [
        path,
        i + 1,
        ageRange(face),
        face.age === null ? "-" : face.age.toFixed(1),
        genderWords(face),
        face.gender_score === null ? "-" : `${percent(face.gender_score)}%`,
        flagWords(face).join(", "),
        face.box.map(Math.round).join(", "),
        where,
      ],
      TEXTS,
    ),
  );
}

/** A row that has words in place of a face's figures. */
function wordsRow(path, words, ...others) {
  const row = tableRow([path, words, ...others], [0, 1, 2]);
  row.cells[1].colSpan = rows.closest("table").rows[0].cells.length - 1 - others.length;
  row.cells[1].className = "words";
  return row;
}

/** A row of a table whose first cell is its head; texts: the columns that hold no numbers. */
export function tableRow(values, texts) {
  const row = document.createElement("tr");
  values.forEach((value, i) => {
    const cell = document.createElement(i === 0 ? "th" : "td");
    if (i === 0) cell.scope = "row";
    if (!texts.includes(i)) cell.className = "number";
    cell.textContent = value;
    row.append(cell);
  });
  return row;
}

/** The table as text with tabs, which spreadsheets take. */
export function asText() {
  const table = rows.closest("table");
  const cells = (cell) => [cell.textContent, ...Array(cell.colSpan - 1).fill("")];
  return [...table.rows].map((row) => [...row.cells].flatMap(cells).join("\t")).join("\n");
}
