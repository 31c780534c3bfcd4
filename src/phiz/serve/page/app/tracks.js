// Faces of a camera kept apart and steadied from frame to frame.

// Seconds after which a still box, and an estimate, have moved about two thirds of the way to new values.
const BOX_SECONDS = 0.25;
const ESTIMATE_SECONDS = 1.5;
// Most that one frame counts in an estimate, however long after the one before it.
const MOST_OF_ONE = 0.25;
// A face that moves by its own width follows this many times faster than a still one: steady, yet no lag.
const HASTE = 30;
// Seconds for which a face that is not found any more is kept; seconds without any picture after which everybody
// is new, as after a pause; least overlap for the same face.
const PATIENCE = 0.4;
const PAUSE = 3;
const SAME = 0.25;

/** The faces in front of one camera. */
export class Tracks {
  constructor() {
    this.tracks = [];
    this.count = 0;
    this.last = -Infinity;
  }

  /** Take the faces of a new frame (seconds: its time) and return all present ones, steadied, each with an id. */
  update(faces, seconds) {
    if (seconds - this.last > PAUSE) this.tracks = [];
    this.last = seconds;
    const pairs = [];
    for (const track of this.tracks) {
      for (const face of faces) pairs.push({ track, face, shared: overlap(track.face.box, face.box) });
    }
    pairs.sort((a, b) => b.shared - a.shared);
    const matched = new Set();
    for (const { track, face, shared } of pairs) {
      if (shared < SAME || matched.has(track) || matched.has(face)) continue;
      matched.add(track).add(face);
      follow(track, face, seconds);
    }
    for (const face of faces) {
      if (!matched.has(face)) this.tracks.push(begin(++this.count, face, seconds));
    }
    this.tracks = this.tracks.filter((track) => seconds - track.seen <= PATIENCE);
    return this.tracks.map((track) => ({ ...track.face, id: track.id }));
  }
}

function begin(id, face, seconds) {
  return { id, face, female: share(face), frames: 1, seen: seconds };
}

/** Move a track towards the face that was found where it is. */
function follow(track, face, seconds) {
  const passed = Math.max(seconds - track.seen, 1e-3);
  const old = track.face;
  const shift = Math.max(...face.box.map((value, i) => Math.abs(value - old.box[i]))) / face.box[2];
  const place = 1 - Math.exp((-passed / BOX_SECONDS) * (1 + HASTE * shift));
  track.frames += 1;
  // At first the plain mean of what was seen, later an exponential one.
  const guess = Math.max(1 / track.frames, Math.min(MOST_OF_ONE, 1 - Math.exp(-passed / ESTIMATE_SECONDS)));
  track.female += guess * (share(face) - track.female);
  track.seen = seconds;
  track.face = {
    ...face,
    box: mixed(old.box, face.box, place),
    age: old.age + guess * (face.age - old.age),
    age_interval: face.age_interval && mixed(old.age_interval ?? face.age_interval, face.age_interval, guess),
    gender: track.female >= 0.5 ? "female" : "male",
    gender_score: Math.max(track.female, 1 - track.female),
  };
}

function share({ gender, gender_score }) {
  return gender === "female" ? gender_score : 1 - gender_score;
}

function mixed(old, fresh, weight) {
  return old.map((value, i) => value + weight * (fresh[i] - value));
}

/** Intersection over union of two [x, y, width, height]. */
function overlap(a, b) {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / (a[2] * a[3] + b[2] * b[3] - shared);
}
