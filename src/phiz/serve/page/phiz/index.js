// phiz in JavaScript: faces, ages and genders of a picture, by the same networks as the Python package.

import { faceCrop, KEYPOINTS } from "./crop.js";
import { viewOf } from "./view.js";
import { Detector } from "./yunet.js";

export { faceCrop } from "./crop.js";

/** The files that `load` asks for. */
export const FILES = ["multitask-64.json", "multitask-64.onnx", "yunet.json", "yunet.onnx"];

/**
 * Load the networks.
 *
 * ort: the module onnxruntime-web. read: function from a name in FILES to a promise of its ArrayBuffer.
 * providers: ONNX Runtime's execution providers, first choice first.
 * Returns an Analyzer; rejects where a file cannot be read or is not what its name says.
 */
export async function load(ort, read, providers = ["wasm"]) {
  const [cardBytes, weights, detectorBytes, detectorWeights] = await Promise.all(FILES.map(read));
  const [card, detectorCard] = [cardBytes, detectorBytes].map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
  if (detectorCard.keypoints.join() !== KEYPOINTS.join()) {
    throw new Error(`yunet.json: expected the keypoints ${KEYPOINTS}, got ${detectorCard.keypoints}`);
  }
  const options = { executionProviders: providers, logSeverityLevel: 3 };
  const open = (bytes) => ort.InferenceSession.create(new Uint8Array(bytes), options);
  const network = await open(weights); // one after the other: a runtime that is starting takes one call at a time
  return new Analyzer(ort, card, network, new Detector(ort, await open(detectorWeights), detectorCard));
}

/** Loaded networks, ready for any number of pictures; made by `load`. */
export class Analyzer {
  constructor(ort, card, network, detector) {
    this.ort = ort;
    this.card = card;
    this.network = network;
    this.detector = detector;
    this.last = Promise.resolve(); // a session takes one call at a time
  }

  /**
   * The faces of one picture, largest first.
   *
   * picture: {width, height, data} with four bytes a pixel (an ImageData), upright, the fourth byte ignored; or a view,
   * which gives its pixels part by part (view.js). minFace: width in pixels of the smallest face to look for and
   * return; without it as fine as time allows, like the Python package.
   * Returns {width, height, faces}, each face as `phiz analyze --format jsonl` prints it: box [x, y, width,
   * height] and keypoints in pixels, score, age in years, gender, gender_score.
   */
  analyze(picture, minFace) {
    const result = this.last.then(() => this.run(viewOf(picture), minFace));
    this.last = result.catch(() => {});
    return result;
  }

  /** The faces of a camera's frame: of people before it, so that a coarser and faster look is enough. */
  watch(frame) {
    return this.analyze(frame, this.detector.watchMinFace(frame.width, frame.height));
  }

  async run(view, minFace) {
    const detections = await this.detector.detect(view, minFace);
    const size = this.card.input.size;
    const crops = new Uint8Array(detections.length * size * size * 3);
    detections.forEach(({ keypoints }, i) => {
      crops.set(faceCrop(view, keypoints, size, this.card.crop), i * size * size * 3);
    });
    const estimates = await this.estimate(crops);
    const faces = detections.map((detection, i) => face(detection, estimates[i]));
    return { width: view.width, height: view.height, faces };
  }

  /** Age and gender of face crops, size x size x 3 bytes each, one after the other. */
  async estimate(crops) {
    const size = this.card.input.size;
    const count = crops.length / (size * size * 3);
    if (count === 0) return [];
    const input = new this.ort.Tensor("uint8", crops, [count, size, size, 3]);
    const { age, female } = await this.network.run({ [this.network.inputNames[0]]: input }, ["age", "female"]);
    return Array.from({ length: count }, (_, i) => decode(age.data[i], female.data[i]));
  }
}

function decode(age, female) {
  if (!Number.isFinite(age) || !Number.isFinite(female)) throw new Error("the network gave no finite number");
  const share = Math.min(Math.max(female, 0), 1);
  const gender = share >= 0.5 ? "female" : "male";
  return { age: Math.max(age, 0), gender, gender_score: Math.max(share, 1 - share) };
}

function face({ box, score, keypoints }, { age, gender, gender_score }) {
  return {
    box: box.map(tenth),
    score: Math.round(score * 1e4) / 1e4,
    keypoints: keypoints.map((point) => point.map(tenth)),
    age: tenth(age),
    gender,
    gender_score: Math.round(gender_score * 1e4) / 1e4,
  };
}

function tenth(value) {
  return Math.round(value * 10) / 10;
}
