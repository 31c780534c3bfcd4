// phiz in JavaScript: faces, ages and genders of a picture, by the same networks as the Python package.

import { cautionOf, judge } from "./certainty.js";
import { fit, KEYPOINTS, resample } from "./crop.js";
import { qualityOf } from "./quality.js";
import { viewOf } from "./view.js";
import { Detector } from "./yunet.js";

export { FLAGS } from "./certainty.js";
export { faceCrop } from "./crop.js";

/** The files that `load` asks for. */
export const FILES = ["multitask-64.json", "multitask-64.onnx", "yunet.json", "yunet.onnx"];

// Outputs that an answer is made of, and those that tell how sure it is, where the network has them.
const ANSWERS = ["age", "female"];
const SPREAD = "age_std";
const BRANCHES = { age_branches: ["age1", "age2", "age3"], gender_branches: ["female1", "female2", "female3"] };
// Digits after the point that a quality is worth, where not three.
const DIGITS = { size: 1, yaw: 1, pitch: 1, roll: 1 };

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
    const has = card.outputs.map(({ name }) => name);
    this.outputs = [...ANSWERS, SPREAD, ...Object.values(BRANCHES).flat()].filter((name) => has.includes(name));
    this.last = Promise.resolve(); // a session takes one call at a time
  }

  /**
   * The faces of one picture, largest first.
   *
   * picture: {width, height, data} with four bytes a pixel (an ImageData), upright, the fourth byte ignored; or a view,
   * which gives its pixels part by part (view.js). options: min_face, width in pixels of the smallest face to look for
   * and return, without it as fine as time allows, like the Python package; coverage (0.9), min_gender_score (0.5) and
   * strict (false), see certainty.js.
   * Returns {width, height, faces}, each face as `phiz analyze --format jsonl` prints it: box [x, y, width, height] and
   * keypoints in pixels, score, age in years and its interval, gender, gender_score, quality, flags. Rejects with
   * RangeError where an option is out of range.
   */
  analyze(picture, options = {}) {
    const result = this.last.then(() => this.run(viewOf(picture), options));
    this.last = result.catch(() => {});
    return result;
  }

  /** The faces of a camera's frame: of people before it, so that a coarser and faster look is enough. */
  watch(frame, options = {}) {
    return this.analyze(frame, { ...options, min_face: this.detector.watchMinFace(frame.width, frame.height) });
  }

  async run(view, options) {
    const tables = this.card.certainty ?? null;
    const caution = cautionOf(options, tables);
    const detections = await this.detector.detect(view, options.min_face);
    const size = this.card.input.size;
    const crops = new Uint8Array(detections.length * size * size * 3);
    const qualities = detections.map(({ keypoints }, i) => {
      const place = fit(keypoints, size, this.card.crop);
      const crop = resample(view, place.turn, place.shift, size);
      crops.set(crop, i * size * size * 3);
      return qualityOf(crop, size, keypoints, place, view);
    });
    const estimates = await this.estimate(crops);
    const faces = detections.map((detection, i) => {
      return face(detection, qualities[i], judge(estimates[i], qualities[i], tables, caution));
    });
    return { width: view.width, height: view.height, faces };
  }

  /**
   * What the network says of face crops, size x size x 3 bytes each, one after the other: {age, gender, gender_score,
   * signals} each, the score as the network has it, not calibrated.
   */
  async estimate(crops) {
    const size = this.card.input.size;
    const count = crops.length / (size * size * 3);
    if (count === 0) return [];
    const input = new this.ort.Tensor("uint8", crops, [count, size, size, 3]);
    const told = await this.network.run({ [this.network.inputNames[0]]: input }, this.outputs);
    return Array.from({ length: count }, (_, i) => {
      return decode(Object.fromEntries(this.outputs.map((name) => [name, told[name].data[i]])));
    });
  }
}

function decode(told) {
  if (!Object.values(told).every(Number.isFinite)) throw new Error("the network gave no finite number");
  const share = Math.min(Math.max(told.female, 0), 1);
  const gender = share >= 0.5 ? "female" : "male";
  const signals = SPREAD in told ? { [SPREAD]: told[SPREAD] } : {};
  for (const [name, branches] of Object.entries(BRANCHES)) {
    const said = branches.filter((branch) => branch in told).map((branch) => told[branch]);
    if (said.length > 1) signals[name] = Math.max(...said) - Math.min(...said);
  }
  return { age: Math.max(told.age, 0), gender, gender_score: Math.max(share, 1 - share), signals };
}

function face({ box, score, keypoints }, quality, { age, age_interval, gender, gender_score, flags }) {
  return {
    box: box.map((value) => rounded(value, 1)),
    score: rounded(score, 4),
    keypoints: keypoints.map((point) => point.map((value) => rounded(value, 1))),
    age: age && rounded(age, 1),
    age_interval: age_interval && age_interval.map((value) => rounded(value, 1)),
    gender,
    gender_score: gender_score && rounded(gender_score, 4),
    quality: Object.fromEntries(Object.entries(quality).map(([name, value]) => [name, rounded(value, DIGITS[name] ?? 3)])),
    flags,
  };
}

function rounded(value, digits) {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
