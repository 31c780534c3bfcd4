// The types of phiz-web; see web/README.md.

/** The files that `load` asks for. */
export const FILES: string[];

/** Why a face may be hard to read, in the order told. */
export const FLAGS: Flag[];

export type Flag = "small" | "blurred" | "profile" | "dark" | "bright" | "cut off" | "covered";
export type Point = [x: number, y: number];

/** An upright picture, four bytes a pixel, the fourth ignored; an ImageData fits. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array | Uint8ClampedArray;
}

/** A picture that gives its pixels part by part, and where it can the whole of it made smaller. */
export interface View {
  width: number;
  height: number;
  part(left: number, top: number, columns: number, rows: number): Picture;
  shrunk?(width: number, height: number): Picture;
}

export interface Options {
  /** Width in pixels of the smallest face to look for and return; by default the detector's card says it. */
  min_face?: number;
  /** Share of people whose age lies in the interval, a level of the card; 0.9 by default. */
  coverage?: number;
  /** Below this score `gender` is null; 0.5 by default: always answered. */
  min_gender_score?: number;
  /** Whether a face with a flag gets no age and gender; false by default. */
  strict?: boolean;
}

/** Pixels, shares from 0 to 1 (sharpness, brightness, inside) and degrees (yaw, pitch, roll). */
export interface Quality {
  size: number;
  sharpness: number;
  brightness: number;
  yaw: number;
  pitch: number;
  roll: number;
  inside: number;
}

export interface Face {
  /** Left, top, width, height in pixels. */
  box: [number, number, number, number];
  /** The detector's, from 0 to 1. */
  score: number;
  /** Right eye, left eye, nose, right and left corner of the mouth; right and left are the person's own. */
  keypoints: [Point, Point, Point, Point, Point];
  /** Years; null where strict. */
  age: number | null;
  /** Years; null without an age and from a model without `certainty`. */
  age_interval: [low: number, high: number] | null;
  gender: "female" | "male" | null;
  /** Probability from 0.5 to 1 that the likelier gender is right; null where strict. */
  gender_score: number | null;
  quality: Quality;
  flags: Flag[];
}

export interface Result {
  width: number;
  height: number;
  faces: Face[];
}

export interface Estimate {
  age: number;
  gender: "female" | "male";
  gender_score: number;
  signals: Record<string, number>;
}

/** Loaded networks, ready for any number of pictures; made by `load`. */
export class Analyzer {
  private constructor();
  /** The parsed card of the network. */
  readonly card: Record<string, unknown>;
  /** The faces of one picture, largest first; rejects with RangeError where an option is out of range. */
  analyze(picture: Picture | View, options?: Options): Promise<Result>;
  /** The faces of a camera's frame, looked at more coarsely and faster. */
  watch(frame: Picture | View, options?: Omit<Options, "min_face">): Promise<Result>;
  /** What the network says of crops, size x size x 3 bytes each, not calibrated. */
  estimate(crops: Uint8Array): Promise<Estimate[]>;
}

/** Load the networks; ort: the module onnxruntime-web, read: a promise of the bytes of each name in FILES. */
export function load(
  ort: object,
  read: (name: string) => Promise<ArrayBuffer | Uint8Array>,
  providers?: string[],
): Promise<Analyzer>;

/** The face as an upright square of size x size x 3 bytes, eyes and mouth where the template has them. */
export function faceCrop(
  picture: Picture | View,
  keypoints: Point[],
  size: number,
  template: Record<string, number[]>,
): Uint8Array;
