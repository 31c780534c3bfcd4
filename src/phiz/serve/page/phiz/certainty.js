// How sure an answer is: the arithmetic of phiz.models.certainty on the tables of a card's `certainty`.

/** Why a face may be hard to read, in the order told. */
export const FLAGS = ["small", "blurred", "profile", "dark", "bright", "cut off", "covered"];
// No probability from the network is taken as nearer to 1 than this.
const SUREST = 1e-6;

/**
 * How cautious answers shall be, checked and with the usual values for what is left out.
 *
 * coverage: share of people whose age lies in the interval, a level of the card. min_gender_score: below it the gender is
 * null. strict: a face with a flag gets no answer. Throws RangeError where one is out of range.
 */
export function cautionOf({ coverage = 0.9, min_gender_score = 0.5, strict = false } = {}, tables) {
  if (!(coverage > 0 && coverage < 1)) throw new RangeError(`coverage: expected a number between 0 and 1, got ${coverage}`);
  if (!(min_gender_score >= 0.5 && min_gender_score <= 1)) {
    throw new RangeError(`min_gender_score: expected 0.5 to 1, got ${min_gender_score}`);
  }
  if (tables && !(String(coverage) in tables.age)) {
    throw new RangeError(`coverage: expected one of ${Object.keys(tables.age).join(", ")}, got ${coverage}`);
  }
  return { coverage, min_gender_score, strict };
}

/**
 * What may be said of a face: {age, age_interval, gender, gender_score, flags}.
 *
 * estimate: {age, gender, gender_score, signals} as the network says. quality: see quality.js. tables: the card's
 * `certainty`; without it the estimate stands as it is. caution: of cautionOf.
 */
export function judge(estimate, quality, tables, caution) {
  let { age, gender, gender_score } = estimate;
  let age_interval = null;
  let flags = [];
  if (tables) {
    const found = signalsOf(estimate, quality, tables);
    age_interval = interval(tables, found, caution.coverage);
    gender_score = score(tables, found);
    flags = FLAGS.filter((name) => name in tables.flags && raised(tables.flags[name], found));
  }
  if (gender_score < caution.min_gender_score) gender = null;
  if (caution.strict && flags.length) [age, age_interval, gender, gender_score] = [null, null, null, null];
  return { age, age_interval, gender, gender_score, flags };
}

/** Everything that tells how sure an answer is; yaw and roll without their sign. */
function signalsOf({ age, gender_score, signals }, quality, tables) {
  const sure = Math.min(gender_score, 1 - SUREST);
  const found = { ...quality, ...signals, age, gender_logit: Math.log(sure / (1 - sure)) };
  for (const angle of ["yaw", "roll"]) if (angle in found) found[angle] = Math.abs(found[angle]);
  if (Object.keys(tables.covered).length) found.covered = total(tables.covered, found);
  return found;
}

function interval(tables, found, coverage) {
  const { below, above } = tables.age[String(coverage)];
  const scale = Math.exp(total(tables.scale, found));
  return [Math.max(0, found.age - curve(below, found.age) * scale), found.age + curve(above, found.age) * scale];
}

function score(tables, found) {
  const logit = found.gender_logit * Math.max(0, total(tables.gender, found));
  return Math.min(1 / (1 + Math.exp(-logit)), tables.highest);
}

/** Whether a signal lies under `least` or over `most`; one that is not known does not. */
function raised({ signal, least = null, most = null }, found) {
  const value = found[signal];
  if (value === undefined) return false;
  return (least !== null && value < least) || (most !== null && value > most);
}

/** The sum of tables; a signal that is not known counts as infinite, as bad as they come. */
function total(tables, found) {
  return Object.entries(tables).reduce((sum, [name, table]) => sum + curve(table, found[name] ?? Infinity), 0);
}

/** Straight lines between the points (x, y), x rising; beyond the ends, the end's y. */
export function curve({ x, y }, value) {
  const last = x.length - 1;
  if (value <= x[0]) return y[0];
  if (value >= x[last]) return y[last];
  let i = 0;
  while (x[i + 1] <= value) i++;
  return y[i] + (y[i + 1] - y[i]) * ((value - x[i]) / (x[i + 1] - x[i]));
}
