// phiz in JavaScript: faces, ages and genders of a picture, by the same networks as the Python package.

import { faceCrop } from "./crop.js";
import { AutoDetector, BlazeFace } from "./detect.js";

export { faceCrop } from "./crop.js";

/** The files that `load` asks for. */
export const FILES = ["multitask-64.json", "multitask-64.onnx", "blazeface_short.onnx", "blazeface_back.onnx"];

/**
 * Load the networks.
 *
 * ort: the module onnxruntime-web. read: function from a name in FILES to a promise of its ArrayBuffer.
 * providers: ONNX Runtime's execution providers, first choice first.
 * Returns an Analyzer; rejects where a file cannot be read or is not what its name says.
 */
export async function load(ort, read, providers = ["wasm"]) {
  const [cardBytes, ...weights] = await Promise.all(FILES.map(read));
  const card = JSON.parse(new TextDecoder().decode(cardBytes));
  const options = { executionProviders: providers, logSeverityLevel: 3 };
  const sessions = [];
  for (const bytes of weights) sessions.push(await ort.InferenceSession.create(new Uint8Array(bytes), options));
  const [network, short, back] = sessions;
  const detector = new AutoDetector(new BlazeFace(ort, short, 128), new BlazeFace(ort, back, 256));
  return new Analyzer(ort, card, network, detector);
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
   * picture: {width, height, data} with four bytes a pixel (an ImageData), upright; the fourth byte is ignored.
   * known: for a video, the faces of the frame before: only they are looked for, which takes a fraction of the
   * time, unless one is lost. Newcomers are not seen, so leave it out a few times a second.
   * Returns {width, height, faces}, each face as `phiz analyze --format jsonl` prints it: box [x, y, width,
   * height] and keypoints in pixels, score, age in years, gender, gender_score.
   */
  analyze(picture, known = []) {
    const result = this.last.then(() => this.run(picture, known));
    this.last = result.catch(() => {});
    return result;
  }

  async run(picture, known) {
    const { width, height } = picture;
    if (!(width >= 1 && height >= 1 && picture.data?.length === width * height * 4)) {
      throw new TypeError("expected {width, height, data} with four bytes a pixel, such as an ImageData");
    }
    let detections = known.length ? await this.detector.follow(picture, known) : [];
    if (!known.length || detections.length < known.length) detections = await this.detector.detect(picture);
    const size = this.card.input.size;
    const crops = new Uint8Array(detections.length * size * size * 3);
    detections.forEach(({ keypoints }, i) => {
      crops.set(faceCrop(picture, keypoints, size, this.card.crop), i * size * size * 3);
    });
    const estimates = await this.estimate(crops);
    return { width, height, faces: detections.map((detection, i) => face(detection, estimates[i])) };
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
