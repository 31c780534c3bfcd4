// The picture or the camera with boxes and labels over it.

import { ageRange, genderWords } from "./phrases.js";

const stage = document.getElementById("stage");
const frame = document.getElementById("frame");
const picture = document.getElementById("picture");
const video = document.getElementById("video");
const boxes = document.getElementById("boxes");

// A box narrower than this on the screen gets the age alone as its label.
const NARROW = 84;

/** Show nothing but the invitation. */
export function showNothing() {
  show("empty");
}

/** Show a picture without boxes; resolves to its image element once it can be drawn. */
export async function showPicture(url, name) {
  show("picture");
  picture.alt = name;
  if (picture.src !== url) {
    picture.src = url;
    await picture.decode().catch(() => {}); // one that cannot be decoded is reported by the analysis
  }
  picture.hidden = picture.naturalWidth === 0 || stage.dataset.state !== "picture";
  fit(picture.naturalWidth, picture.naturalHeight);
  return picture;
}

/** Show the camera, like a mirror where it looks at its user. */
export function showCamera(mirrored) {
  show("camera");
  frame.classList.toggle("mirrored", mirrored);
  fit(video.videoWidth, video.videoHeight);
}

/** Draw the boxes of faces; width and height: the picture's, in the faces' pixels. */
export function drawBoxes(faces, width, height) {
  const mirrored = stage.dataset.state === "camera" && frame.classList.contains("mirrored");
  while (boxes.children.length > faces.length) boxes.lastChild.remove();
  while (boxes.children.length < faces.length) {
    const box = document.createElement("div");
    box.append(document.createElement("span"));
    boxes.append(box);
  }
  const scale = frame.clientWidth / width;
  faces.forEach((face, i) => {
    const [x, y, w, h] = face.box;
    const box = boxes.children[i];
    const left = mirrored ? width - x - w : x;
    Object.assign(box.style, {
      left: `${(100 * left) / width}%`,
      top: `${(100 * y) / height}%`,
      width: `${(100 * w) / width}%`,
      height: `${(100 * h) / height}%`,
    });
    box.firstChild.textContent = w * scale < NARROW ? ageRange(face) : `${ageRange(face)}, ${genderWords(face)}`;
  });
  placeLabels();
}

/** Mark one box among the others; null for none. */
export function markBox(number) {
  [...boxes.children].forEach((box, i) => box.classList.toggle("marked", i === number));
}

/** Put each label above its box, or else below or inside, within the picture and clear of the others. */
function placeLabels() {
  const all = [...boxes.children].map((box) => ({
    label: box.firstChild,
    x: box.offsetLeft,
    y: box.offsetTop,
    height: box.offsetHeight,
    wide: box.firstChild.offsetWidth,
    high: box.firstChild.offsetHeight,
  }));
  const taken = [];
  for (const { label, x, y, height, wide, high } of all) {
    const left = Math.max(0, Math.min(x, frame.clientWidth - wide));
    const places = [y - high, y + height, y, y + height - high].filter(
      (top) => top >= 0 && top + high <= frame.clientHeight,
    );
    const clear = (top) =>
      !taken.some((t) => left < t.left + t.wide && t.left < left + wide && top < t.top + t.high && t.top < top + high);
    const top = places.find(clear) ?? places[0] ?? Math.max(0, y);
    taken.push({ left, top, wide, high });
    label.style.transform = `translate(${left - x}px, ${top - y}px)`;
  }
}

function show(state) {
  stage.dataset.state = state;
  picture.hidden = state !== "picture";
  video.hidden = state !== "camera";
  if (state !== "picture") picture.removeAttribute("src");
  if (state !== "camera") frame.classList.remove("mirrored");
  boxes.replaceChildren();
}

function fit(width, height) {
  frame.style.setProperty("--width", width || 4);
  frame.style.setProperty("--height", height || 3);
}
